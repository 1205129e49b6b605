package batch

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aimlvideo/wan-go/api"
	"github.com/aimlvideo/wan-go/conformance/simulator"
)

// lines are n lines of one model, which need no local files.
func lines(n int) []Line {
	all := make([]Line, n)
	for i := range all {
		all[i] = Line{CustomID: fmt.Sprintf("shot-%04d", i+1), Body: map[string]any{
			"model": "alibaba/wan2.2-14b-animate-move", "video_url": "https://example.com/dance.mp4", "image_url": fmt.Sprintf("https://example.com/%d.png", i),
		}}
	}
	return all
}

// inMemory runs f in a synctest bubble with a simulator, a client and a batch of n lines.
func inMemory(t *testing.T, n int, f func(t *testing.T, sim *simulator.Server, client *api.Client, b *Batch, dir string), opts ...simulator.Option) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		sim := simulator.StartInMemory(t, opts...)
		client, err := api.New(api.WithBaseURL(sim.URL), api.WithAPIKey(sim.Key), api.WithHTTPClient(sim.Client()), api.WithRetryWindow(0))
		if err != nil {
			t.Fatal(err)
		}
		b, err := Open(t.Context(), filepath.Join(dir, "batch.db"), WithID("test"))
		if err != nil {
			t.Fatal(err)
		}
		defer b.Close()
		if added, err := b.Add(t.Context(), lines(n)...); err != nil || added != n {
			t.Fatalf("Add = %d, %v", added, err)
		}
		f(t, sim, client, b, dir)
	})
}

func output(dir string) RunOption { return WithOutput(filepath.Join(dir, "{custom_id}.mp4")) }

func mustStatus(t *testing.T, b *Batch) *Status {
	t.Helper()
	s, err := b.Status(context.WithoutCancel(t.Context()))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// fileLines are the lines of a file; none if there is no file.
func fileLines(t *testing.T, path string) []string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
}

func TestRun(t *testing.T) {
	inMemory(t, 30, func(t *testing.T, sim *simulator.Server, client *api.Client, b *Batch, dir string) {
		if err := b.Run(t.Context(), client, output(dir)); err != nil {
			t.Fatal(err)
		}
		s := mustStatus(t, b)
		if s.RequestCounts != (RequestCounts{Total: 30, Completed: 30}) {
			t.Errorf("counts are %+v", s.RequestCounts)
		}
		if l := sim.Ledger(); l.Created != 30 || l.Charged != 30 {
			t.Errorf("%d created, %d charged", l.Created, l.Charged)
		}
		for _, j := range sim.Ledger().Jobs {
			if !strings.HasPrefix(j.ClientRequestID, "wan:test:shot-") || !strings.HasSuffix(j.ClientRequestID, ":1") {
				t.Errorf("client request id %s", j.ClientRequestID)
			}
		}
		if got := fileLines(t, filepath.Join(dir, ResultsFile)); len(got) != 30 {
			t.Errorf("results: %d lines", len(got))
		}
		if info, err := os.Stat(filepath.Join(dir, "shot-0001.mp4")); err != nil || info.Size() == 0 {
			t.Errorf("no video: %v", err)
		}
		// The same again has nothing to do.
		if err := b.Run(t.Context(), client, output(dir)); err != nil {
			t.Fatal(err)
		}
		if l := sim.Ledger(); l.Created != 30 {
			t.Errorf("%d created after a second run", l.Created)
		}
	}, simulator.WithTimeline(simulator.Complete(time.Second, 20*time.Second)))
}
