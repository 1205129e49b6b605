package simulator

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"net/http"
	"path"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/aimlvideo/wan-go/conformance"
)

// filesPath is where results are served, below the prefix under which the API was reached.
const filesPath = "/files/"

//go:embed videos/*.mp4
var videos embed.FS

// A film is one of the results. Its file's name tells its size on screen.
type film struct {
	width, height int
	data          []byte
	etag          string
}

func (f *film) size() string { return fmt.Sprintf("%dx%d", f.width, f.height) }

var films = sync.OnceValue(func() []*film {
	entries, err := videos.ReadDir("videos")
	if err != nil {
		panic(err)
	}
	var all []*film
	for _, entry := range entries {
		f := new(film)
		if _, err := fmt.Sscanf(entry.Name(), "%dx%d.mp4", &f.width, &f.height); err != nil {
			panic(fmt.Errorf("simulator: videos/%s: %w", entry.Name(), err))
		}
		f.data, _ = videos.ReadFile("videos/" + entry.Name())
		sum := sha256.Sum256(f.data)
		f.etag = `"` + hex.EncodeToString(sum[:8]) + `"`
		all = append(all, f)
	}
	return all
})

// chooseFilm finds the film that comes nearest to what the request asks for; the shape counts more than the size.
func chooseFilm(submission conformance.Submission) *film {
	asked := func(property string) string {
		if text, ok := submission.Request[property].(string); ok {
			return text
		}
		if schema := submission.Document.Request().Properties[property]; schema != nil {
			text, _ := schema.Value.Default.(string)
			return text
		}
		return ""
	}
	short, err := strconv.Atoi(strings.TrimSuffix(asked("resolution"), "p"))
	if err != nil { // "auto"
		short = 480
	}
	width, height := 16, 9
	_, _ = fmt.Sscanf(asked("aspect_ratio"), "%d:%d", &width, &height)
	distance := func(f *film) int {
		d := abs(min(f.width, f.height) - short)
		if compare(f.width, f.height) != compare(width, height) {
			d += 1 << 20
		}
		return d
	}
	best := films()[0]
	for _, f := range films() {
		if distance(f) < distance(best) {
			best = f
		}
	}
	return best
}

func abs(n int) int { return max(n, -n) }

// compare returns 1 for a landscape, 0 for a square and -1 for a portrait.
func compare(width, height int) int {
	switch {
	case width > height:
		return 1
	case width < height:
		return -1
	}
	return 0
}

// resultOf returns which result a request is about: the path behind the last of what may be several "/files/", since the
// simulator may be reached below any path.
func resultOf(r *http.Request) (file string, ok bool) {
	i := strings.LastIndex(r.URL.Path, filesPath)
	if i < 0 {
		return "", false
	}
	return r.URL.Path[i+len(filesPath):], true
}

// download serves a result, with ETag and ranges. It wants no key, and the ledger notes the requests that bring one.
func (x *exchange) download(w http.ResponseWriter, r *http.Request, file string) {
	s := x.sim
	if r.Header.Get("Authorization") != "" || r.Header.Get("X-Client-Request-Id") != "" {
		s.mu.Lock()
		s.totals.leaks++
		s.mu.Unlock()
	}
	token, number, _ := strings.Cut(file, "/")
	j := s.find(s.files, token)
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		x.reject(w, http.StatusMethodNotAllowed, "Cannot "+r.Method+" a result")
		return
	}
	if j == nil || j.step(s.now()).Status != "completed" {
		x.reject(w, http.StatusNotFound, "No such file")
		return
	}
	n, err := strconv.Atoi(strings.TrimSuffix(number, path.Ext(number)))
	j.mu.Lock()
	j.downloads++
	expired := err != nil || n < j.expired
	j.mu.Unlock()
	x.entry.Job, x.entry.Note = j.id, j.film.size()
	if expired {
		x.reject(w, http.StatusForbidden, "The URL has expired")
		return
	}
	if r.Header.Get("Range") != "" {
		x.entry.Note += " " + r.Header.Get("Range")
	}
	w.Header().Set("Content-Type", "video/mp4")
	w.Header().Set("ETag", j.film.etag)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(j.film.data))
}

// expire makes the URL that the request asks for invalid. The next poll answers another one.
func (x *exchange) expire(r *http.Request) {
	file, _ := resultOf(r)
	token, number, _ := strings.Cut(file, "/")
	j := x.sim.find(x.sim.files, token)
	n, err := strconv.Atoi(strings.TrimSuffix(number, path.Ext(number)))
	if j == nil || err != nil {
		return
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.expired = max(j.expired, n+1)
}
