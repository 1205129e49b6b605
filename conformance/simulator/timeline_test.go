package simulator_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aimlvideo/wan-go/conformance/simulator"
)

func TestWaitTakesNoTime(t *testing.T) {
	inBubble(t, func(t *testing.T, srv *simulator.Server) {
		began := time.Now()
		id := submit(t, srv, move)
		for poll(t, srv, id).Status != "completed" {
			time.Sleep(10 * time.Second)
		}
		if took := time.Since(began); took != 10*time.Minute {
			t.Errorf("the job took %v of the bubble's time, want 10m", took)
		}
		if polls := srv.Ledger().Polls; polls != 61 {
			t.Errorf("%d polls, want 61", polls)
		}
	}, simulator.WithTimeline(simulator.Complete(5*time.Minute, 5*time.Minute)))
}

// The responses to a submission and to one poll per second.
func TestTimelines(t *testing.T) {
	const (
		queued    = `{"id":"ID","status":"queued"}`
		video     = `"video":{"url":"http://127.0.0.1:1/files/TOKEN/0.mp4"}`
		meta      = `"meta":{"usage":{"credits_used":420000,"usd_spent":0.21}}`
		completed = `{"id":"ID","status":"completed",` + video + `,` + meta + `}`
	)
	ends := func(set map[string]any, omit ...string) simulator.Timeline {
		return simulator.Timeline{{Status: "queued", For: time.Second}, {Status: "completed", Set: set, Omit: omit}}
	}
	fails := func(set map[string]any) simulator.Timeline {
		return simulator.Timeline{{Status: "queued", For: time.Second}, {Status: "error", Set: set}}
	}
	type object = map[string]any
	tests := []struct {
		name     string
		timeline simulator.Timeline
		want     []string
		charged  int
	}{
		{"Complete", simulator.Complete(time.Second, 2*time.Second), []string{
			queued, queued, `{"id":"ID","status":"generating"}`, `{"id":"ID","status":"generating"}`, completed, completed,
		}, 1},
		{"at once", simulator.Complete(0, 0), []string{queued, completed}, 1},
		{"none", nil, []string{queued, completed}, 1},
		{"completed from the start", simulator.Timeline{{Status: "completed"}}, []string{completed, completed}, 1},
		{"Fail", simulator.Fail("NSFW", "Refused"), []string{
			`{"id":"ID","status":"generating"}`,
			`{"id":"ID","status":"generating"}`,
			`{"id":"ID","status":"error","error":{"message":"Refused","name":"NSFW"}}`,
		}, 0},
		{"foreign words", simulator.Timeline{
			{Status: "waiting", For: time.Second},
			{Status: "active", For: time.Second},
			{Status: "dreaming", For: time.Second},
			{Status: "", For: time.Second},
			{Status: "completed"},
		}, []string{
			`{"id":"ID","status":"waiting"}`, `{"id":"ID","status":"waiting"}`, `{"id":"ID","status":"active"}`,
			`{"id":"ID","status":"dreaming"}`, `{"id":"ID","status":""}`, completed,
		}, 1},
		{"never ends", simulator.Timeline{{Status: "generating", For: time.Second}, {Status: "dreaming"}}, []string{
			`{"id":"ID","status":"generating"}`, `{"id":"ID","status":"generating"}`,
			`{"id":"ID","status":"dreaming"}`, `{"id":"ID","status":"dreaming"}`,
		}, 0},
		{"completed without a video", ends(nil, "video"), []string{
			queued, queued, `{"id":"ID","status":"completed",` + meta + `}`}, 1},
		{"completed with a null video", ends(object{"video": nil}), []string{
			queued, queued, `{"id":"ID","status":"completed","video":null,` + meta + `}`}, 1},
		{"completed without a URL", ends(object{"video": object{}}), []string{
			queued, queued, `{"id":"ID","status":"completed","video":{},` + meta + `}`}, 1},
		{"completed elsewhere", ends(object{"video": object{"url": "https://cdn.example.com/v.mp4"}}), []string{
			queued, queued, `{"id":"ID","status":"completed","video":{"url":"https://cdn.example.com/v.mp4"},` + meta + `}`}, 1},
		{"completed with an error", ends(object{"error": object{"name": "N", "message": "M"}}), []string{
			queued, queued, `{"id":"ID","status":"completed",` + video + `,` + meta + `,"error":{"message":"M","name":"N"}}`}, 1},
		{"old usage", ends(object{"meta": object{"usage": object{"tokens_used": 7}}, "duration": 5}), []string{
			queued, queued, `{"id":"ID","status":"completed",` + video + `,"meta":{"usage":{"tokens_used":7}},"duration":5}`}, 1},
		{"usage in dollars", ends(object{"meta": object{"usage": object{"usd_spent": 0.5}}}), []string{
			queued, queued, `{"id":"ID","status":"completed",` + video + `,"meta":{"usage":{"usd_spent":0.5}}}`}, 1},
		{"error without a reason", fails(nil), []string{
			queued, queued, `{"id":"ID","status":"error","error":{"message":"The generation failed","name":"GenerationError"}}`}, 0},
		{"error as a string", fails(object{"error": "out of memory"}), []string{
			queued, queued, `{"id":"ID","status":"error","error":"out of memory"}`}, 0},
		{"error with nulls", fails(object{"video": nil, "meta": nil}), []string{queued, queued,
			`{"id":"ID","status":"error","error":{"message":"The generation failed","name":"GenerationError"},"meta":null,"video":null}`}, 0},
		{"nulls from the start", simulator.Timeline{{Status: "queued", Set: object{"video": nil, "error": nil}}}, []string{
			`{"id":"ID","status":"queued","error":null,"video":null}`, `{"id":"ID","status":"queued","error":null,"video":null}`}, 0},
		{"another id", ends(object{"id": "other"}, "status", "x"), []string{
			queued, queued, `{"id":"other",` + video + `,` + meta + `}`}, 1},
		{"what JSON can't say", ends(object{"video": func() {}}), []string{queued, queued,
			`"the simulator cannot encode this: json: unsupported type: func()"`}, 1},
		{"fails after completion", simulator.Timeline{{Status: "completed", For: time.Second}, {Status: "error", Set: object{"error": "E"}}}, []string{
			completed, completed, `{"id":"ID","status":"error","error":"E"}`}, 1},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, srv *simulator.Server) {
				a := ask(t, srv, "POST", generations, move)
				id := a.header.Get("X-Inference-Id")
				got := []string{anonymous(t, a.body, id)}
				for len(got) < len(test.want) {
					got = append(got, anonymous(t, ask(t, srv, "GET", pollPath(id), "").body, id))
					time.Sleep(time.Second)
				}
				for i, want := range test.want {
					if want = anonymous(t, []byte(want), id); got[i] != want {
						t.Errorf("response %d is\n\t%s, want\n\t%s", i, got[i], want)
					}
				}
				if l := srv.Ledger(); l.Charged != test.charged {
					t.Errorf("%d charged, want %d", l.Charged, test.charged)
				}
			}, simulator.WithTimeline(test.timeline))
		})
	}
}

// A script precedes the timeline of a model, which precedes the default.
func TestWhichTimeline(t *testing.T) {
	only := func(status string) simulator.Timeline { return simulator.Timeline{{Status: status}} }
	srv := simulator.Start(t,
		simulator.WithTimeline(only("all")),
		simulator.WithTimeline(only("pose"), "vace-fun-pose"))
	srv.Script(only("first"), only("second"))
	srv.Script(only("third"))
	for i, test := range []struct{ submission, want string }{
		{move, "first"}, {pose, "second"}, {reframe, "third"}, {move, "all"}, {pose, "pose"}, {reframe, "all"},
	} {
		if g := poll(t, srv, submit(t, srv, test.submission)); g.Status != test.want {
			t.Errorf("job %d is %q, want %q", i, g.Status, test.want)
		}
	}
	if a := ask(t, srv, "POST", generations, "{}"); a.status != http.StatusBadRequest {
		t.Fatal(a.status)
	}
	srv.Script(only("last"))
	ask(t, srv, "POST", generations, "{}") // uses up no script
	if g := poll(t, srv, submit(t, srv, move)); g.Status != "last" {
		t.Errorf("the job after a rejected submission is %q", g.Status)
	}
}

func TestFailureRate(t *testing.T) {
	fates := func(rate float64, seed uint64, polls int) (failed []bool) {
		srv := simulator.Start(t, simulator.WithFailureRate(rate), simulator.WithSeed(seed),
			simulator.WithTimeline(simulator.Complete(0, 0), "vace-fun-pose"))
		for range 40 {
			id := submit(t, srv, move)
			for range polls {
				ask(t, srv, "GET", pollPath("unknown"), "")
			}
			srv.Advance(time.Minute)
			failed = append(failed, poll(t, srv, id).Status == "error")
		}
		if g := poll(t, srv, submit(t, srv, pose)); g.Status != "completed" {
			t.Errorf("a job with a timeline of its own is %q", g.Status)
		}
		return failed
	}
	count := func(failed []bool) (n int) {
		for _, f := range failed {
			if f {
				n++
			}
		}
		return n
	}
	if n := count(fates(0, 1, 0)); n != 0 {
		t.Errorf("%d of 40 jobs fail at the rate 0", n)
	}
	if n := count(fates(1, 1, 0)); n != 40 {
		t.Errorf("%d of 40 jobs fail at the rate 1", n)
	}
	half := fates(0.5, 1, 0)
	if n := count(half); n < 5 || n > 35 {
		t.Errorf("%d of 40 jobs fail at the rate 0.5", n)
	}
	if !slices.Equal(half, fates(0.5, 1, 2)) {
		t.Error("polls in between change which jobs fail")
	}
	if slices.Equal(half, fates(0.5, 2, 0)) {
		t.Error("another seed changes nothing")
	}
}

func TestSeed(t *testing.T) {
	ids := func(opts ...simulator.Option) string {
		srv := simulator.Start(t, opts...)
		return submit(t, srv, move) + submit(t, srv, pose)
	}
	if a, b := ids(simulator.WithSeed(7)), ids(simulator.WithSeed(7)); a != b {
		t.Errorf("with one seed, the ids are %s and %s", a, b)
	}
	if a, b := ids(simulator.WithSeed(7)), ids(simulator.WithSeed(8)); a == b {
		t.Errorf("with two seeds, the ids are %s", a)
	}
	if a, b := ids(), ids(); a == b {
		t.Errorf("without a seed, the ids are %s twice", a)
	}
}

func TestAdvance(t *testing.T) {
	srv := simulator.Start(t, simulator.WithTimeline(simulator.Complete(time.Hour, time.Hour)), simulator.WithRetention(9*time.Hour))
	first := submit(t, srv, move)
	srv.Advance(time.Hour)
	second := submit(t, srv, move)
	if a, b := poll(t, srv, first).Status, poll(t, srv, second).Status; a != "generating" || b != "queued" {
		t.Errorf("after one hour the jobs are %s and %s", a, b)
	}
	srv.Advance(time.Hour)
	if a, b := poll(t, srv, first).Status, poll(t, srv, second).Status; a != "completed" || b != "generating" {
		t.Errorf("after two hours the jobs are %s and %s", a, b)
	}
}

// A job and its result are forgotten when its end is longer ago than the retention. Its charge isn't.
func TestRetention(t *testing.T) {
	inBubble(t, func(t *testing.T, srv *simulator.Server) {
		srv.Script(simulator.Complete(0, time.Minute), simulator.Complete(time.Hour, 0))
		short, long := submit(t, srv, move), submit(t, srv, move)
		time.Sleep(11 * time.Minute)
		result := poll(t, srv, short).Video.URL
		if a := ask(t, srv, "GET", result, ""); a.status != http.StatusOK {
			t.Errorf("within the retention, the result has status %d", a.status)
		}
		if l := srv.Ledger(); l.Created != 2 || l.Charged != 1 || len(l.Jobs) != 2 {
			t.Errorf("within the retention: %d created, %d charged, %d remembered", l.Created, l.Charged, len(l.Jobs))
		}
		time.Sleep(time.Second)
		for _, path := range []string{pollPath(short), result} {
			if a := ask(t, srv, "GET", path, ""); a.status != http.StatusNotFound {
				t.Errorf("after the retention, %s has status %d", path, a.status)
			}
		}
		if g := poll(t, srv, long); g.Status != "queued" {
			t.Errorf("the unfinished job is %q", g.Status)
		}
		if l := srv.Ledger(); l.Created != 2 || l.Charged != 1 || len(l.Jobs) != 1 || l.Jobs[0].ID != long {
			t.Errorf("after the retention: %d created, %d charged, %d remembered", l.Created, l.Charged, len(l.Jobs))
		}
	}, simulator.WithRetention(10*time.Minute))
}

// Simulators share no state.
func TestIndependent(t *testing.T) {
	a, b := simulator.Start(t), simulator.Start(t)
	id := submit(t, a, move)
	if got := ask(t, b, "GET", pollPath(id), ""); got.status != http.StatusNotFound {
		t.Errorf("the other simulator responds %d", got.status)
	}
	if a.Key == b.Key || !strings.HasPrefix(a.Key, "simulator-") {
		t.Errorf("the keys are %q and %q", a.Key, b.Key)
	}
	if l := b.Ledger(); l.Created != 0 {
		t.Errorf("the other simulator has created %d jobs", l.Created)
	}
}
