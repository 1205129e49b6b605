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
	short, err := strconv.Atoi(strings.TrimSuffix(fmt.Sprint(property(submission, "resolution")), "p"))
	if err != nil { // "auto"
		short = 480
	}
	width, height := 16, 9
	_, _ = fmt.Sscanf(fmt.Sprint(property(submission, "aspect_ratio")), "%d:%d", &width, &height)
	distance := func(v *video) int {
		d := max(min(v.width, v.height)-short, short-min(v.width, v.height))
		if cmp.Compare(v.width, v.height) != cmp.Compare(width, height) {
			d += 1 << 20
		}
		return d
	}
	return slices.MinFunc(allVideos(), func(a, b *video) int { return cmp.Compare(distance(a), distance(b)) })
}

// findResult returns the job and the number of the URL of a result, or nil. The path ends in /files/TOKEN/NUMBER.mp4; the
// simulator may be reached below any path.
func (x *exchange) findResult(r *http.Request) (j *job, number int) {
	file := r.URL.Path[strings.LastIndex(r.URL.Path, filesPath)+len(filesPath):]
	token, name, _ := strings.Cut(file, "/")
	j = x.sim.find(x.sim.files, token)
	number, err := strconv.Atoi(strings.TrimSuffix(name, ".mp4"))
	if j == nil || err != nil || number < 0 || name != strconv.Itoa(number)+".mp4" {
		return nil, 0
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if number > j.Expired || j.step(x.sim.now()).Status != "completed" {
		return nil, 0
	}
	return j, number
}

// download serves a result with ETag and Range support. It needs no key: the ledger counts the requests that bring one.
func (x *exchange) download(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Authorization") != "" || r.Header.Get(wire.ClientRequestIDHeader) != "" {
		x.sim.mu.Lock()
		x.sim.totals.Leaks++
		x.sim.mu.Unlock()
	}
	j, number := x.findResult(r)
	if j == nil {
		x.reject(w, http.StatusNotFound, "No such file")
		return
	}
	j.mu.Lock()
	j.Downloads++
	expired := number < j.Expired
	j.mu.Unlock()
	x.entry.Job = j.ID
	if expired {
		x.reject(w, http.StatusForbidden, "The URL has expired")
		return
	}
	x.entry.Note = strings.TrimSpace(j.Size + " " + r.Header.Get("Range"))
	w.Header().Set("Content-Type", "video/mp4")
	w.Header().Set("ETag", j.video.etag)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(j.video.data))
}

// expire expires the requested URL. The next poll returns a fresh one.
func (x *exchange) expire(r *http.Request) {
	j, number := x.findResult(r)
	if j == nil {
		return
	}
	x.sim.mu.Lock()
	defer x.sim.mu.Unlock()
	j.mu.Lock()
	defer j.mu.Unlock()
	j.Expired = max(j.Expired, number+1)
	_ = x.sim.save(stateRecord{Expired: map[string]int{j.ID: j.Expired}})
}
