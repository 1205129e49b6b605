package simulator

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/aimlvideo/wan-go/conformance"
	"github.com/aimlvideo/wan-go/spec/wire"
)

// filesPath is where results are served, below the prefix under which the API was reached.
const filesPath = "/files/"

//go:embed videos/*.mp4
var videoFiles embed.FS

// A video is one of the results. Its file is named by its size in pixels.
type video struct {
	width, height int
	data          []byte
	etag          string
}

func (v *video) size() string { return fmt.Sprintf("%dx%d", v.width, v.height) }

var allVideos = sync.OnceValue(func() []*video {
	entries, err := videoFiles.ReadDir("videos")
	if err != nil {
		panic(err)
	}
	var all []*video
	for _, entry := range entries {
		v := new(video)
		if _, err := fmt.Sscanf(entry.Name(), "%dx%d.mp4", &v.width, &v.height); err != nil {
			panic(fmt.Errorf("simulator: videos/%s: %w", entry.Name(), err))
		}
		v.data, _ = videoFiles.ReadFile("videos/" + entry.Name())
		sum := sha256.Sum256(v.data)
		v.etag = `"` + hex.EncodeToString(sum[:8]) + `"`
		all = append(all, v)
	}
	return all
})

// chooseVideo returns the video that best matches the request: first the orientation, then the resolution.
func chooseVideo(submission conformance.Submission) *video {
	requested := func(property string) string {
		if text, ok := submission.Request[property].(string); ok {
			return text
		}
		if schema := submission.Document.Request().Properties[property]; schema != nil {
			text, _ := schema.Value.Default.(string)
			return text
		}
		return ""
	}
	short, err := strconv.Atoi(strings.TrimSuffix(requested("resolution"), "p"))
	if err != nil { // "auto"
		short = 480
	}
	width, height := 16, 9
	_, _ = fmt.Sscanf(requested("aspect_ratio"), "%d:%d", &width, &height)
	distance := func(v *video) int {
		d := max(min(v.width, v.height)-short, short-min(v.width, v.height))
		if cmp.Compare(v.width, v.height) != cmp.Compare(width, height) {
			d += 1 << 20
		}
		return d
	}
	return slices.MinFunc(allVideos(), func(a, b *video) int { return cmp.Compare(distance(a), distance(b)) })
}

// resultOf returns the path of a result after the last "/files/": the simulator may be reached below any path.
func resultOf(r *http.Request) (file string, ok bool) {
	i := strings.LastIndex(r.URL.Path, filesPath)
	if i < 0 {
		return "", false
	}
	return r.URL.Path[i+len(filesPath):], true
}

// download serves a result with ETag and Range support. It needs no key: the ledger counts the requests that bring one.
func (x *exchange) download(w http.ResponseWriter, r *http.Request, file string) {
	s := x.sim
	if r.Header.Get("Authorization") != "" || r.Header.Get(wire.ClientRequestIDHeader) != "" {
		s.mu.Lock()
		s.totals.Leaks++
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
	n, err := versionOf(number)
	j.mu.Lock()
	known, expired := err == nil && n <= j.Expired, n < j.Expired
	if known {
		j.Downloads++
	}
	j.mu.Unlock()
	if !known {
		x.reject(w, http.StatusNotFound, "No such file")
		return
	}
	x.entry.Job, x.entry.Note = j.ID, j.video.size()
	if expired {
		x.reject(w, http.StatusForbidden, "The URL has expired")
		return
	}
	if r.Header.Get("Range") != "" {
		x.entry.Note += " " + r.Header.Get("Range")
	}
	w.Header().Set("Content-Type", "video/mp4")
	w.Header().Set("ETag", j.video.etag)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(j.video.data))
}

// versionOf returns the number of a URL of a result, which ends in NUMBER.mp4.
func versionOf(name string) (int, error) {
	n, err := strconv.Atoi(strings.TrimSuffix(name, ".mp4"))
	if err != nil || strconv.Itoa(n)+".mp4" != name || n < 0 {
		return 0, fmt.Errorf("%q isn't a result", name)
	}
	return n, nil
}

// expire expires the requested URL. The next poll returns a fresh one.
func (x *exchange) expire(r *http.Request) {
	file, _ := resultOf(r)
	token, number, _ := strings.Cut(file, "/")
	j := x.sim.find(x.sim.files, token)
	n, err := versionOf(number)
	if j == nil || err != nil {
		return
	}
	j.mu.Lock()
	j.Expired = max(j.Expired, n+1)
	expired := j.Expired
	j.mu.Unlock()
	x.sim.mu.Lock()
	defer x.sim.mu.Unlock()
	_ = x.sim.save(stateRecord{Expired: map[string]int{j.ID: expired}})
}
