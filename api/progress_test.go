package api_test

import (
	"errors"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aimlvideo/wan-go/api"
	"github.com/aimlvideo/wan-go/conformance/simulator"
	"github.com/aimlvideo/wan-go/gen/animatemove"
)

// Uploads and downloads tell how far they are, and end at the whole.
func TestOnUploadAndDownload(t *testing.T) {
	srv := simulator.Start(t, simulator.WithTimeline(simulator.Complete(0, 0)))
	client := newClient(t, srv)
	var sent, received, total int64
	request := animatemove.Request{VideoURL: api.File("../conformance/testdata/dance.mp4"), ImageURL: move.ImageURL}
	job, err := client.AnimateMove(t.Context(), request, api.OnUpload(func(n, of int64) {
		if n <= sent || n > of {
			t.Errorf("%d after %d, of %d", n, sent, of)
		}
		sent, total = n, of
	}))
	if err != nil {
		t.Fatal(err)
	}
	if size := int64(srv.Ledger().Jobs[0].BodySize); sent != size || total != size {
		t.Errorf("%d of %d bytes were reported, %d arrived", sent, total, size)
	}
	video, err := job.Wait(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	err = video.Save(t.Context(), filepath.Join(t.TempDir(), "out.mp4"), api.OnDownload(func(n, of int64) {
		if n <= received || n > of {
			t.Errorf("%d after %d, of %d", n, received, of)
		}
		received, total = n, of
	}))
	if size := int64(len(sample(t, "854x480"))); err != nil || received != size || total != size {
		t.Errorf("%d of %d bytes were reported, the sample has %d: %v", received, total, size, err)
	}
}

// A server that lets through five polls a second serves a hundred jobs: a 429 on one slows the others, too, but not so
// much that they notice their end late.
func TestManyJobsShareALimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const jobs, perSecond = 100, 5
		const takes = 15 * time.Minute
		srv := simulator.StartInMemory(t, simulator.WithTimeline(simulator.Complete(takes/3, takes*2/3)))
		client := newClient(t, srv)
		var mu sync.Mutex
		var second time.Time
		polls, refused := 0, 0
		limit := simulator.Status(429)
		srv.Inject(simulator.Fault{On: simulator.Poll, Effect: simulator.Effect{Name: "limit", Wrap: wrapIf(limit, func() bool {
			mu.Lock()
			defer mu.Unlock()
			if now := time.Now().Truncate(time.Second); now != second {
				second, polls = now, 0
			}
			polls++
			if polls > perSecond {
				refused++
			}
			return polls > perSecond
		})}})
		errs := make(chan error, jobs)
		start := time.Now()
		var late time.Duration
		for range jobs {
			go func() {
				job, err := client.AnimateMove(t.Context(), move)
				if err == nil {
					_, err = job.Wait(t.Context())
				}
				mu.Lock()
				late = max(late, time.Since(start)-takes)
				mu.Unlock()
				errs <- err
			}()
		}
		failed := 0
		for range jobs {
			if err := <-errs; err != nil {
				failed++
				if waiting := (*api.WaitError)(nil); !errors.As(err, &waiting) {
					t.Error(err)
				}
			}
		}
		if failed > 0 {
			t.Errorf("%d of %d waits gave up", failed, jobs)
		}
		if late > 3*time.Minute {
			t.Errorf("the last one noticed its end %v late", late)
		}
		t.Logf("%d polls, %d of them refused; the last one noticed its end %v late", srv.Ledger().Polls+refused, refused, late)
	})
}
