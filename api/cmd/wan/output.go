package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/spf13/pflag"

	"github.com/aimlvideo/wan-go/api"
	"github.com/aimlvideo/wan-go/spec"
	"github.com/aimlvideo/wan-go/spec/media"
	"github.com/aimlvideo/wan-go/spec/redact"
)

// output holds the flags about the result.
type output struct {
	path      string
	overwrite bool
	timeout   time.Duration
	json      bool
	quiet     bool
	flags     *pflag.FlagSet

	slug   string   // of the model; empty where only the id names it
	inputs []string // the files of the request
}

func (o *output) add(flags *pflag.FlagSet) {
	o.flags = flags
	flags.StringVarP(&o.path, "output", "o", "",
		"`FILE` for the video, - for standard output; {id}, {model} and {seed} are replaced by those of the generation. Without it, only the URL is printed")
	flags.BoolVar(&o.overwrite, "overwrite", false, "overwrite the file if it exists")
	flags.DurationVar(&o.timeout, "timeout", 30*time.Minute, "how long to wait in all, such as 90s or 10m; 0 is no limit")
	flags.BoolVar(&o.json, "json", false, jsonUsage)
	flags.BoolVarP(&o.quiet, "quiet", "q", false, "print no progress, only the ids of a submission")
}

// expand is where the video of a generation goes; empty without -o.
func (o *output) expand(id, seed string) string {
	model := o.slug
	if model == "" {
		// One form of generation ids ends with the model behind a colon.
		if _, model, _ = strings.Cut(id, ":"); model != "" {
			if document, ok := spec.ByModel(model); ok {
				model = document.Slug
			}
		}
	}
	safe := strings.NewReplacer("/", "_", `\`, "_", ":", "_")
	return strings.NewReplacer("{id}", api.FileName(id), "{model}", safe.Replace(model), "{seed}", safe.Replace(seed)).Replace(o.path)
}

// absolute is the file of a generation for another working directory, or "" if there is none.
func (o *output) absolute(id, seed string) string {
	path := o.expand(id, seed)
	if absolute, err := filepath.Abs(path); err == nil && path != "" && path != "-" {
		return absolute
	}
	return ""
}

// check finds out before a submission whether the videos can be saved without overwriting other files. ids are those of
// the generations, or nil before a submission.
func (o *output) check(seed string, ids []string) error {
	if o.timeout < 0 {
		return inputError(fmt.Errorf("--timeout: %v is negative", o.timeout))
	}
	if !o.flags.Changed("output") {
		return nil
	}
	err := o.checkTemplate(seed, len(ids))
	if err == nil && o.path != "-" {
		err = o.checkPaths(seed, ids)
	}
	if err != nil {
		return inputError(fmt.Errorf("--output: %w", err))
	}
	return nil
}

var placeholder = regexp.MustCompile(`\{[a-z]+\}`)

func (o *output) checkTemplate(seed string, generations int) error {
	switch {
	case o.path == "":
		return errors.New("the name is empty")
	case o.path == "-" && generations > 1:
		return errors.New("standard output takes one video, not several")
	case o.path == "-" && o.json:
		return errors.New("standard output takes either the video or --json")
	case generations > 1 && !strings.Contains(o.path, "{id}"):
		return fmt.Errorf("%s is one file for several generations; add {id} to its name", o.path)
	case strings.Contains(o.path, "{seed}") && seed == "":
		return errors.New("{seed} needs --seed; the API doesn't report the seed it chooses")
	}
	for _, name := range placeholder.FindAllString(o.path, -1) {
		if name != "{id}" && name != "{model}" && name != "{seed}" {
			return fmt.Errorf("unknown placeholder %s; there are {id}, {model} and {seed}", name)
		}
	}
	return nil
}

func (o *output) checkPaths(seed string, ids []string) error {
	if ids == nil { // a sample, as long as an id can be expected to be
		ids = []string{"00000000-0000-0000-0000-000000000000:alibaba/wan2.2-" + o.slug + "-14b"}
	}
	owners := map[string]string{}
	for _, id := range ids {
		path := o.expand(id, seed)
		if other, ok := owners[path]; ok {
			return fmt.Errorf("%s is the file of both %s and %s", path, other, id)
		}
		owners[path] = id
		if o.isSaved(path) {
			continue
		}
		if err := o.checkFree(path); err != nil {
			return err
		}
		if err := savable(path); err != nil {
			return err
		}
	}
	return nil
}

// checkFree returns an error if a video at the path would overwrite another file.
func (o *output) checkFree(path string) error {
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() {
		return nil //nolint:nilerr // no such file
	}
	for _, input := range o.inputs {
		if other, err := os.Stat(input); err == nil && os.SameFile(info, other) {
			return fmt.Errorf("%s is an input of the request; choose another name", path)
		}
	}
	if !o.overwrite {
		return fmt.Errorf("%s exists; choose another name, add {id} to it, or use --overwrite", path)
	}
	return nil
}

// isSaved reports whether an earlier run has saved the video of a generation, which isn't fetched again: its id is in the
// name, and the file is whole.
func (o *output) isSaved(path string) bool {
	if o.overwrite || !strings.Contains(o.path, "{id}") {
		return false
	}
	content, err := media.File(path).Inspect(0)
	if err != nil || content.CheckKind("video") != nil {
		return false
	}
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	head := make([]byte, media.SniffLen)
	n, _ := io.ReadFull(f, head)
	container := media.NewContainer(head[:n])
	_, err = io.Copy(container, io.MultiReader(bytes.NewReader(head[:n]), f))
	return err == nil && container.Whole()
}

// savable finds out whether a file can be saved, with directories that don't exist yet, by means of a temporary file.
func savable(path string) error {
	info, err := os.Stat(path)
	switch {
	case err == nil && info.IsDir():
		return fmt.Errorf("%s is a directory", path)
	case err == nil && !info.Mode().IsRegular():
		return fmt.Errorf("%s isn't a regular file", path)
	}
	directory := path
	for err == nil || errors.Is(err, fs.ErrNotExist) {
		directory = filepath.Dir(directory)
		if _, err = os.Stat(directory); err == nil {
			break
		}
	}
	if err == nil {
		var f *os.File
		if f, err = os.CreateTemp(directory, ".wan-*"); err == nil {
			f.Close()
			return os.Remove(f.Name())
		}
	}
	return fmt.Errorf("create %s: %w", path, pathCause(err))
}

// pathCause drops the path that package os puts into its errors.
func pathCause(err error) error {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return e.Err
	}
	return err
}

// A finish takes a job from submission to a saved video and a printed result.
type finish struct {
	*console
	*output
	*connection

	journal  *journal
	progress *jobProgress
	seed     string
	accepted bool       // by this process
	several  bool       // one of several generations
	usage    *api.Usage // what the video cost; nil without one
}

// run waits for the job, saves the video and prints the result.
func (f *finish) run(ctx context.Context, job *api.Job) error {
	r := result{ID: job.ID(), ClientRequestID: job.ClientRequestID()}
	path := f.expand(job.ID(), f.seed)
	if !f.accepted && f.isSaved(path) {
		f.progress.line("skipped " + path + ", saved already")
		f.progress.finish()
		r.File = path
		return f.report(r, nil)
	}
	video, err := job.Wait(ctx, api.OnProgress(func(now api.Progress) {
		r.Status = now.Status
		f.progress.wait(now, f.verbose)
	}))
	if err == nil {
		r.setVideo(video)
		f.usage = &video.Usage
		switch {
		case path == "-":
			_, err = video.Download(ctx, f.stdout, api.OnDownload(f.progress.download))
		case path != "":
			if err = f.save(ctx, video, path); err == nil {
				r.File = path
			}
		case f.simulate:
			f.progress.line("the URL ends with the simulator; -o FILE saves the video")
		}
	}
	f.progress.finish()
	return f.report(r, interrupted(ctx, err))
}

func (f *finish) save(ctx context.Context, video *api.Video, path string) error {
	opts := []api.DownloadOption{api.OnDownload(f.progress.download)}
	if !f.overwrite { // it may have been created meanwhile
		opts = append(opts, api.KeepExisting())
	}
	err := video.Save(ctx, path, opts...)
	if errors.Is(err, fs.ErrExist) {
		return &api.DownloadError{GenerationID: video.GenerationID, Err: fmt.Errorf("%s exists; choose another name or use --overwrite", path)}
	}
	if input, ok := errors.AsType[*api.InputError](err); ok { // the generation is paid for, so this is no bad input
		return &api.DownloadError{GenerationID: video.GenerationID, Err: input.Err}
	}
	if err == nil {
		f.progress.line(saved(path, video.Usage, f.simulate))
	}
	return err
}

// saved describes the file and its cost.
func saved(path string, usage api.Usage, simulated bool) string {
	text := "saved " + path
	if info, err := os.Stat(path); err == nil {
		text += ", " + size(info.Size())
	}
	if simulated {
		return text + ", simulated, no charge"
	}
	if usage.Credits != nil {
		text += fmt.Sprintf(", %.0f credits", *usage.Credits)
	}
	if usage.USD != nil {
		text += fmt.Sprintf(", $%.2f", *usage.USD)
	}
	return text
}

// report prints the result and, where the generation may go on, how to resume it.
func (f *finish) report(r result, err error) error {
	r.Simulated = f.simulate
	f.progress.pause(func() {
		f.journal.add(event{Event: outcomes[exitCode(err)].name, ID: r.ID, ClientRequestID: r.ClientRequestID})
		if err == nil && f.path == "-" {
			return // stdout has the video
		}
		if err == nil {
			r.conclude(nil)
			if err = r.write(f.stdout, f.json, f.several); err == nil {
				return
			}
			err = &acceptedError{fmt.Errorf("print the result: %w", err)}
		} else {
			if f.accepted {
				err = &acceptedError{err}
			}
			err = r.writeError(f.stdout, f.json, err)
		}
		f.printError(err)
		f.printBody(f.stderr, err)
		if is[*api.DownloadError](err) && r.URL != "" {
			fmt.Fprintln(f.stderr, "The video is at "+redact.Printable(r.URL, ""))
		}
		switch {
		case r.ID == "", isOver(err):
		case f.simulate:
			fmt.Fprintln(f.stderr, "The simulator ends with this command, so the generation can't be resumed.")
		default:
			o := *f.output
			o.overwrite = o.overwrite || r.File != "" // saved already, and only the result couldn't be printed
			fmt.Fprintln(f.stderr, "To resume: "+o.resume(f.connection, r.ID, f.seed))
		}
		err = &printedError{err}
	})
	return err
}

// isOver reports whether the generation needs no further wait. A submission that got 404 but named a generation does.
func isOver(err error) bool {
	return is[*api.FailedError](err) ||
		errors.Is(err, api.ErrNotFound) && !is[*api.UnknownOutcomeError](err) && !is[*acceptedError](err)
}

// resume is the command that resumes a generation, to be pasted into a shell.
func (o *output) resume(conn *connection, id, seed string) string {
	args := append([]string{"wan", "wait"}, conn.arguments()...)
	if path := o.expand(id, seed); path != "" {
		args = append(args, "-o", path)
		if o.overwrite {
			args = append(args, "--overwrite")
		}
	}
	if strings.HasPrefix(id, "-") {
		args = append(args, "--", id)
	} else {
		args = slices.Insert(args, 2, id)
	}
	return shellLine(args)
}

// shellLine is a command for a shell.
func shellLine(args []string) string {
	words := make([]string, len(args))
	for i, arg := range args {
		words[i] = shellQuote(arg)
	}
	return strings.Join(words, " ")
}

// shellQuote quotes a word for a shell. Characters that a terminal doesn't print become escapes in $'...', which bash,
// zsh and ksh decode.
func shellQuote(word string) string {
	if strings.Trim(word, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-+=:,./@%") == "" && word != "" {
		return word
	}
	if !strings.ContainsFunc(word, func(r rune) bool { return !unicode.IsGraphic(r) || r == unicode.ReplacementChar }) {
		return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
	}
	var b strings.Builder
	for _, c := range []byte(word) {
		switch {
		case c == '\'' || c == '\\':
			b.WriteString(`\` + string(c))
		case c < ' ' || c >= 0x7f:
			fmt.Fprintf(&b, `\x%02x`, c)
		default:
			b.WriteByte(c)
		}
	}
	return "$'" + b.String() + "'"
}

// withTimeout limits a wait; 0 is no limit.
func withTimeout(ctx context.Context, timeout time.Duration) (context.Context, context.CancelFunc) {
	if timeout == 0 {
		return context.WithCancel(ctx)
	}
	return context.WithTimeoutCause(ctx, timeout, fmt.Errorf("--timeout %v has passed", timeout))
}
