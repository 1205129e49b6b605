package batch

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/aimlvideo/wan-go/api"
	"github.com/aimlvideo/wan-go/spec/redact"
)

// A Line is one generation to make.
type Line struct {
	// CustomID names the line within its batch and names its file. Where it is empty, Add makes one from the content.
	CustomID string
	// Body is the request, with the model among its members. Media values are URLs or [api.File] sources; the ledger
	// keeps the path, size and SHA-256 of a file, not its bytes.
	Body map[string]any
}

// A ChangedError reports lines that are in the batch already with another body. A line that may have been paid for is
// never replaced: give the changed one a new custom id.
type ChangedError struct {
	// Differences has one text for each line, such as `shot-7: seed 1 -> 2`.
	Differences []string
}

func (e *ChangedError) Error() string {
	return "batch: changed lines need a new custom_id: " + strings.Join(e.Differences, "; ")
}

// Add adds lines to the batch in one transaction and returns how many are new. A line with the custom id and the body of
// one that is there is passed over, so a manifest that has grown can be added again. The error is a [*ChangedError] if a
// body differs; then nothing is added.
func (b *Batch) Add(ctx context.Context, lines iter.Seq[Line]) (added int, err error) {
	return b.add(ctx, lines, func(*sql.Tx, []encodedLine) error { return nil })
}

// AddManifest is [Batch.Add] for lines that are the whole batch, whose videos go to the template of [Options].Output. It
// adds nothing and returns an [*OutputError] if the videos would overwrite each other or other files, and a
// [*LeftError] if other lines of the batch are pending, which the next [Batch.Run] would submit.
func (b *Batch) AddManifest(ctx context.Context, lines iter.Seq[Line], output string) (added int, err error) {
	if output, err = filepath.Abs(output); err != nil {
		return 0, fmt.Errorf("batch: %w", err)
	}
	return b.add(ctx, lines, func(tx *sql.Tx, encoded []encodedLine) error {
		pending, err := collect(ctx, tx, scanString, `SELECT custom_id FROM generation WHERE batch_id = $1 AND state = 'pending' ORDER BY line`, b.id)
		if err != nil {
			return err
		}
		given := make(map[string]bool, len(encoded))
		for _, line := range encoded {
			given[line.customID] = true
		}
		if left := slices.DeleteFunc(pending, func(id string) bool { return given[id] }); len(left) > 0 {
			return &LeftError{left}
		}
		return b.checkOutput(ctx, tx, output, false)
	})
}

// A LeftError reports pending lines of the batch that weren't given. Nothing was added.
type LeftError struct{ CustomIDs []string }

func (e *LeftError) Error() string {
	return fmt.Sprintf("batch: %d pending lines of the batch aren't in the manifest, such as %s: run them with their manifest, cancel them, or use another directory",
		len(e.CustomIDs), redact.Line(e.CustomIDs[0]))
}

// add adds lines unless check, which sees the batch with them, returns an error.
func (b *Batch) add(ctx context.Context, lines iter.Seq[Line], check func(*sql.Tx, []encodedLine) error) (added int, err error) {
	encoded, err := encodeLines(lines)
	if err != nil {
		return 0, fmt.Errorf("batch: %w", err)
	}
	err = b.transact(ctx, func(tx *sql.Tx) error {
		if err := b.lockRow(ctx, tx); err != nil {
			return err
		}
		fresh, err := b.newLines(ctx, tx, encoded)
		if err != nil {
			return err
		}
		last, err := number(ctx, tx, `SELECT COALESCE(MAX(line), 0) FROM generation WHERE batch_id = $1`, b.id)
		if err != nil {
			return err
		}
		added = len(fresh)
		if err := b.insert(ctx, tx, fresh, last); err != nil {
			return err
		}
		return check(tx, encoded)
	})
	if err != nil {
		return 0, err
	}
	return added, nil
}

// newLines returns the lines that aren't in the batch.
func (b *Batch) newLines(ctx context.Context, tx *sql.Tx, lines []encodedLine) (fresh []encodedLine, err error) {
	type known struct{ id, hash string }
	all, err := collect(ctx, tx, func(rows *sql.Rows) (k known, err error) { return k, rows.Scan(&k.id, &k.hash) },
		`SELECT custom_id, body_hash FROM generation WHERE batch_id = $1`, b.id)
	if err != nil {
		return nil, err
	}
	hashes := make(map[string]string, len(all))
	for _, k := range all {
		hashes[k.id] = k.hash
	}
	changed := &ChangedError{}
	for _, line := range lines {
		switch hash, ok := hashes[line.customID]; {
		case !ok:
			fresh = append(fresh, line)
		case hash != line.hash:
			old, err := collect(ctx, tx, scanString, `SELECT body FROM generation WHERE batch_id = $1 AND custom_id = $2`, b.id, line.customID)
			if err != nil {
				return nil, err
			}
			changed.Differences = append(changed.Differences, redact.Line(line.customID)+": "+difference(old[0], line.body))
		}
	}
	if changed.Differences != nil {
		return nil, changed
	}
	return fresh, nil
}

// insert inserts many rows a statement: one at a time takes long on Postgres.
func (b *Batch) insert(ctx context.Context, tx *sql.Tx, lines []encodedLine, last int64) error {
	now := millis(time.Now())
	for chunk := range slices.Chunk(lines, 500) {
		var places []string
		var args []any
		for _, line := range chunk {
			last++
			n := len(args)
			places = append(places, fmt.Sprintf("($%d, $%d, $%d, $%d, $%d, $%d)", n+1, n+2, n+3, n+4, n+5, n+6))
			args = append(args, b.id, last, line.customID, line.body, line.hash, now)
		}
		if err := exec(ctx, tx, `INSERT INTO generation (batch_id, line, custom_id, body, body_hash, created_at) VALUES `+strings.Join(places, ", "), args...); err != nil {
			return err
		}
	}
	return nil
}

type encodedLine struct{ customID, body, hash string }

// maxCustomID is as long as a file name may be with room for an extension and a temporary name.
const maxCustomID = 200

func encodeLines(lines iter.Seq[Line]) (encoded []encodedLine, err error) {
	e := encoder{files: map[string]storedFile{}}
	seen := map[string]bool{}
	var errs []error
	n := 0
	for line := range lines {
		n++
		body, hash, err := e.encode(line.Body)
		if err != nil {
			errs = append(errs, fmt.Errorf("line %d: %w", n, err))
			continue
		}
		id := line.CustomID
		if id == "" {
			// The same content twice is meant twice: the API chooses another seed.
			for copies := 1; id == "" || seen[id]; copies++ {
				if id = hash[:16]; copies > 1 {
					id = fmt.Sprintf("%s-%d", hash[:16], copies)
				}
			}
		}
		switch {
		case seen[id]:
			errs = append(errs, fmt.Errorf("line %d: custom_id %s stands twice", n, redact.Line(id)))
		case len(id) > maxCustomID:
			errs = append(errs, fmt.Errorf("line %d: custom_id has %d bytes, at most %d are allowed", n, len(id), maxCustomID))
		}
		seen[id] = true
		encoded = append(encoded, encodedLine{id, body, hash})
	}
	return encoded, errors.Join(errs...)
}

// A storedFile stands in a stored body for a local file.
type storedFile struct {
	Path   string `json:"$file,omitempty"`
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"`
}

// An encoder encodes bodies for the ledger. It reads each file once, however many lines use it.
type encoder struct{ files map[string]storedFile }

// encode returns the body as it is stored and a hash of its content, which is the same wherever its files are.
func (e *encoder) encode(body map[string]any) (text, hash string, err error) {
	var files []*storedFile
	stored, err := replaceAll(body, func(value any) (any, error) {
		source, ok := value.(api.Source)
		if !ok || !source.IsLocal() {
			return value, nil
		}
		f, err := e.file(source.String())
		files = append(files, &f)
		return &f, err
	})
	if err != nil {
		return "", "", err
	}
	storedJSON, err := json.Marshal(stored)
	if err != nil {
		return "", "", err
	}
	for _, f := range files {
		f.Path = ""
	}
	contentJSON, err := json.Marshal(stored)
	sum := sha256.Sum256(contentJSON)
	return string(storedJSON), hex.EncodeToString(sum[:]), err
}

// replaceAll returns a copy of a JSON value, each value of which is replaced, the outer ones first.
func replaceAll(value any, replace func(any) (any, error)) (any, error) {
	value, err := replace(value)
	if err != nil {
		return nil, err
	}
	switch v := value.(type) {
	case map[string]any:
		members := make(map[string]any, len(v))
		for name, member := range v {
			if members[name], err = replaceAll(member, replace); err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
		}
		return members, nil
	case []any:
		elements := make([]any, len(v))
		for i, element := range v {
			if elements[i], err = replaceAll(element, replace); err != nil {
				return nil, err
			}
		}
		return elements, nil
	}
	return value, nil
}

func (e *encoder) file(path string) (storedFile, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return storedFile{}, err
	}
	f, ok := e.files[path]
	if !ok {
		if f, err = hashFile(path); err == nil {
			e.files[path] = f
		}
	}
	return f, err
}

func hashFile(path string) (storedFile, error) {
	info, err := os.Stat(path) //nolint:gosec // it is the caller's own file
	if err != nil {
		return storedFile{}, err
	}
	if !info.Mode().IsRegular() {
		return storedFile{}, fmt.Errorf("%s isn't a regular file", path)
	}
	file, err := os.Open(path) //nolint:gosec // it is the caller's own file
	if err != nil {
		return storedFile{}, err
	}
	defer file.Close()
	h := sha256.New()
	n, err := io.Copy(h, file)
	return storedFile{path, n, hex.EncodeToString(h.Sum(nil))}, err
}

// decodeBody is the request of a stored body. It fails if a file isn't the one that was added.
func decodeBody(text string) (map[string]any, error) {
	stored, err := decodeObject(text)
	if err != nil {
		return nil, err
	}
	body, err := replaceAll(stored, func(value any) (any, error) {
		members, _ := value.(map[string]any)
		path, ok := members["$file"].(string)
		if !ok {
			return value, nil
		}
		f, err := hashFile(path)
		if err == nil && f.SHA256 != members["sha256"] {
			err = fmt.Errorf("%s has changed since the line was added", path)
		}
		return api.File(path), err
	})
	if err != nil {
		return nil, err
	}
	return body.(map[string]any), nil
}

func decodeObject(text string) (object map[string]any, err error) {
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	return object, decoder.Decode(&object)
}

// difference names the members in which two stored bodies differ.
func difference(before, after string) string {
	a, _ := decodeObject(before)
	b, _ := decodeObject(after)
	all := maps.Clone(a)
	maps.Copy(all, b)
	var differences []string
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if !reflect.DeepEqual(withFiles(a[name], hashOfFile), withFiles(b[name], hashOfFile)) {
			differences = append(differences, redact.Line(name)+" "+change(shown(a, name), shown(b, name)))
		}
	}
	return strings.Join(differences, ", ")
}

// withFiles is a stored value with a text for each file.
func withFiles(value any, text func(path, hash string) string) any {
	value, _ = replaceAll(value, func(value any) (any, error) {
		members, _ := value.(map[string]any)
		if path, ok := members["$file"].(string); ok {
			return text(path, fmt.Sprint(members["sha256"])), nil
		}
		return value, nil
	})
	return value
}

// hashOfFile is the same wherever a file is.
func hashOfFile(_, hash string) string { return hashedKey + hash }

// change is how a value has changed. Two that look the same differ in what isn't shown, such as the content of a file.
func change(before, after string) string {
	if before == after {
		return strings.Trim(after, `"`) + " has changed since"
	}
	return before + " -> " + after
}

// shown is the value of a member for people, a file by its name, without data and the queries of URLs, and not too long.
func shown(body map[string]any, name string) string {
	value, ok := body[name]
	if !ok {
		return "(none)"
	}
	value = withFiles(value, func(path, _ string) string { return filepath.Base(path) })
	var text strings.Builder
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(value)
	const most = 60
	return redact.Line(redact.Cut((&redact.Redactor{}).Message(text.String()), most))
}

var keyPattern = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)

const hashedKey = "sha256-"

// lineKey is the custom id where a client request id can hold it, else a hash of it. Unlike the number of the line it
// doesn't depend on the order of a manifest, so the account's logs are enough to rebuild a ledger.
func lineKey(customID string) string {
	if keyPattern.MatchString(customID) && !strings.HasPrefix(customID, hashedKey) {
		return customID
	}
	sum := sha256.Sum256([]byte(customID))
	return hashedKey + hex.EncodeToString(sum[:16])
}

// clientRequestID names one attempt to submit a line. It has at most 4 + 32 + 1 + 64 + 1 + 20 characters.
func clientRequestID(batch, customID string, attempt int64) string {
	return fmt.Sprintf("wan:%s:%s:%d", batch, lineKey(customID), attempt)
}
