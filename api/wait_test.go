package api_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aimlvideo/wan-go/api"
	"github.com/aimlvideo/wan-go/conformance/simulator"
)

// in runs f in a bubble, with a job that goes through the timeline.
func in(t *testing.T, timeline simulator.Timeline, f func(*testing.T, *simulator.Server, *api.Job)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		srv := simulator.StartInMemory(t, simulator.WithTimeline(timeline))
		job, err := newClient(t, srv).AnimateMove(t.Context(), move)
		if err != nil {
			t.Fatal(err)
		}
		f(t, srv, job)
	})
}

// Evidence decides over labels, and nothing that the API might say breaks the wait.
func TestAnswers(t *testing.T) {
	sample := map[string]any{"url": "https://cdn.example.com/video.mp4"}
	step := func(status string, set map[string]any, omit ...string) simulator.Timeline {
		return simulator.Timeline{{Status: "queued", For: time.Millisecond}, {Status: status, Set: set, Omit: omit}}
	}
	type set = map[string]any
	tests := []struct {
		name     string
		timeline simulator.Timeline
		want     string // the URL, or the outcome
		text     string // in the error
	}{
		{"completed", step("completed", nil), "http://127.0.0.1:1/files/", ""},
		{"a URL under another label", step("generating", set{"video": sample}), sample["url"].(string), ""},
		{"a URL under a foreign word", step("succeeded", set{"video": sample}), sample["url"].(string), ""},
		{"a URL with null members", step("completed", set{"video": sample, "error": nil, "meta": nil}), sample["url"].(string), ""},
		{"a URL with an empty error", step("completed", set{"video": sample, "error": set{}}), sample["url"].(string), ""},
		{"a URL and an error", step("error", set{"video": sample}), sample["url"].(string), ""},
		{"words that nobody listed", simulator.Timeline{
			{Status: "waiting", For: time.Minute}, {Status: "active", For: time.Minute}, {Status: "dreaming", For: time.Minute},
			{Status: "completed", Set: set{"video": sample}},
		}, sample["url"].(string), ""},

		{"error", step("error", set{"error": set{"name": "NSFW", "message": "refused"}}), "failed", "NSFW: refused"},
		{"an error under another label", step("generating", set{"error": set{"name": "NSFW", "message": "refused"}}), "failed", "NSFW: refused"},
		{"an error without a reason", step("error", set{"error": nil}), "failed", "no reason given"},
		{"an error as a string", step("error", set{"error": "out of memory"}), "failed", "out of memory"},
		{"an error of another shape", step("error", set{"error": set{"code": 7}}), "failed", `"code": 7`},
		{"an error with null members", step("error", set{"error": set{"name": nil, "message": "refused"}}), "failed", "failed: refused"},
		{"an error in lines", step("error", set{"error": set{"name": "a\nb", "message": "c\r\n\td"}}), "failed", "a b: c d"},

		{"completed without a video", step("completed", nil, "video"), "stopped waiting after 10 polls: " + api.ErrNoVideo.Error(), ""},
		{"completed with null", step("completed", set{"video": nil}), "stopped waiting after 10 polls: " + api.ErrNoVideo.Error(), ""},
		{"completed in capitals", step("COMPLETED", set{"video": nil}), "stopped waiting after 10 polls: " + api.ErrNoVideo.Error(), ""},
		{"completed with an empty URL", step("completed", set{"video": set{"url": ""}}), "stopped waiting after 10 polls: " + api.ErrNoVideo.Error(), ""},
		{"a URL that is none", step("completed", set{"video": set{"url": "video.mp4"}}), "stopped waiting after 10 polls: unusable response", "isn't valid"},
		{"no id", step("queued", nil, "id"), "stopped waiting after 10 polls: unusable response", "no id"},
		{"no status", step("queued", set{"status": nil}), "stopped waiting after 10 polls: unusable response", "no status"},
		{"another id", step("completed", set{"id": "other"}), "stopped waiting after 10 polls: unusable response", `"other"`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			in(t, test.timeline, func(t *testing.T, srv *simulator.Server, job *api.Job) {
				time.Sleep(time.Millisecond) // past the answer to the submission
				video, err := job.Wait(t.Context())
				if err == nil {
					if !strings.HasPrefix(video.URL, test.want) || video.GenerationID != job.ID() {
						t.Errorf("got %s of %s", video.URL, video.GenerationID)
					}
					return
				}
				if got := outcome(err); got != test.want || !strings.Contains(err.Error(), test.text) || strings.Contains(err.Error(), "\n") {
					t.Errorf("%q: %v", got, err)
				}
				if id := generationID(err); id != job.ID() || !strings.Contains(err.Error(), id) {
					t.Errorf("the error names %q: %v", id, err)
				}
			})
		})
	}
}

func TestUsage(t *testing.T) {
	usage := func(meta any) simulator.Timeline {
		return simulator.Timeline{{Status: "completed", Set: map[string]any{"meta": meta}}}
	}
	nested := func(u map[string]any) simulator.Timeline { return usage(map[string]any{"usage": u}) }
	tests := []struct {
		name         string
		timeline     simulator.Timeline
		credits, usd float64
	}{
		{"documented", nested(map[string]any{"credits_used": 7.5, "usd_spent": 0.5}), 7.5, 0.5},
		{"older", nested(map[string]any{"tokens_used": 8, "usd_spent": 0.5}), 8, 0.5},
		{"nothing", nested(map[string]any{"credits_used": 0, "usd_spent": 0}), 0, 0},
		{"as strings", nested(map[string]any{"credits_used": "9", "usd_spent": "0.5"}), 9, 0.5},
		{"in the headers", usage(nil), simulator.USDPerJob * 2_000_000, simulator.USDPerJob},
		{"of another shape", usage("free"), simulator.USDPerJob * 2_000_000, simulator.USDPerJob},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			in(t, test.timeline, func(t *testing.T, _ *simulator.Server, job *api.Job) {
				video, err := job.Wait(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				if *video.Usage.Credits != test.credits || *video.Usage.USD != test.usd {
					t.Errorf("%v credits, $%v", *video.Usage.Credits, *video.Usage.USD)
				}
			})
		})
	}
}

// The interval grows from a second to ten, with jitter.
func TestIntervals(t *testing.T) {
	in(t, simulator.Complete(time.Minute, time.Minute), func(t *testing.T, _ *simulator.Server, job *api.Job) {
		var last time.Duration
		var intervals []float64
		_, err := job.Wait(t.Context(), api.OnProgress(func(p api.Progress) {
			if p.Polls > 1 {
				intervals = append(intervals, (p.Elapsed - last).Seconds())
			}
			last = p.Elapsed
		}))
		if err != nil {
			t.Fatal(err)
		}
		want := 1.0
		for i, got := range intervals {
			if got < 0.8*want || got > 1.2*want {
				t.Errorf("interval %d is %v s, want about %v", i, got, want)
			}
			want = min(10, want*1.5)
		}
		if len(intervals) < 12 || slices.Max(intervals) == slices.Max(intervals[:len(intervals)-1]) && intervals[len(intervals)-1] == intervals[len(intervals)-2] {
			t.Errorf("no jitter: %v", intervals)
		}
	})
}

func TestRetryAfter(t *testing.T) {
	tests := []struct {
		value    string
		min, max time.Duration
	}{
		{"7", 7 * time.Second, 7 * time.Second},
		{"0.5", 800 * time.Millisecond, 1200 * time.Millisecond}, // the interval is longer
		{"100000", time.Minute, time.Minute},
		{"-5", 800 * time.Millisecond, 1200 * time.Millisecond},
		{"NaN", 800 * time.Millisecond, 1200 * time.Millisecond},
		{"soon", 800 * time.Millisecond, 1200 * time.Millisecond},
		{"DATE", 20 * time.Second, 21 * time.Second},
	}
	for _, test := range tests {
		t.Run(test.value, func(t *testing.T) {
			in(t, simulator.Complete(0, 0), func(t *testing.T, srv *simulator.Server, job *api.Job) {
				value := test.value
				if value == "DATE" {
					value = time.Now().UTC().Add(20500 * time.Millisecond).Format(http.TimeFormat)
				}
				srv.Inject(simulator.Fault{On: simulator.Poll, Times: 1, Effect: simulator.RetryAfter(503, value)})
				start := time.Now()
				if _, err := job.Wait(t.Context()); err != nil {
					t.Fatal(err)
				}
				if took := time.Since(start); took < test.min || took > test.max {
					t.Errorf("it waited %v", took)
				}
			})
		})
	}
}

func TestProgress(t *testing.T) {
	timeline := simulator.Timeline{{Status: "queued", For: time.Second}, {Status: "dreaming", For: 5 * time.Second}, {Status: "completed"}}
	in(t, timeline, func(t *testing.T, srv *simulator.Server, job *api.Job) {
		srv.Inject(simulator.Fault{On: simulator.Poll, After: 1, Times: 1, Effect: simulator.Status(503)})
		var got []string
		_, err := job.Wait(t.Context(), api.OnProgress(func(p api.Progress) {
			if p.GenerationID != job.ID() || p.Missed > 0 != (p.Err != nil) {
				t.Errorf("%+v", p)
			}
			got = append(got, fmt.Sprintf("%d %s listed=%t missed=%d", p.Polls, p.Status, p.Status.Valid(), p.Missed))
		}))
		if err != nil {
			t.Fatal(err)
		}
		want := []string{
			"1 queued listed=true missed=0", "2 queued listed=true missed=1",
			"3 dreaming listed=false missed=0", "4 dreaming listed=false missed=0", "5 completed listed=true missed=0",
		}
		if !slices.Equal(got, want) {
			t.Errorf("got  %q\nwant %q", got, want)
		}
	})
}

// A good poll in between lets the count of missed ones begin anew.
func TestMissedPollsInARow(t *testing.T) {
	in(t, simulator.Complete(10*time.Minute, 0), func(t *testing.T, srv *simulator.Server, job *api.Job) {
		for i := range 5 { // one good poll before each nine bad ones
			srv.Inject(simulator.Fault{On: simulator.Poll, After: 1 + i, Times: 9, Effect: simulator.Status(503)})
		}
		if _, err := job.Wait(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// A context ends a wait at once, at whatever moment, and another wait goes on.
func TestWaitCancelled(t *testing.T) {
	tests := []struct {
		name  string
		fault *simulator.Fault
	}{
		{"between polls", nil},
		{"during a poll", &simulator.Fault{On: simulator.Poll, Times: 1, After: 1, Effect: simulator.Stall()}},
		{"during an answer", &simulator.Fault{On: simulator.Poll, Times: 1, After: 1, Effect: simulator.StallBody()}},
		{"during a hint", &simulator.Fault{On: simulator.Poll, Times: 1, After: 1, Effect: simulator.RetryAfter(503, "60")}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			in(t, simulator.Complete(time.Minute, time.Minute), func(t *testing.T, srv *simulator.Server, job *api.Job) {
				if test.fault != nil {
					srv.Inject(*test.fault)
				}
				ctx, cancel := context.WithTimeout(t.Context(), 3500*time.Millisecond)
				defer cancel()
				start := time.Now()
				_, err := job.Wait(ctx)
				if took := time.Since(start); took != 3500*time.Millisecond {
					t.Errorf("it took %v", took)
				}
				waiting := (*api.WaitError)(nil)
				if !errors.As(err, &waiting) || !errors.Is(err, context.DeadlineExceeded) || waiting.Status != "queued" || waiting.GenerationID != job.ID() {
					t.Fatalf("%v", err)
				}
				// Another client, as in another process.
				if _, err := newClient(t, srv).Job(waiting.GenerationID).Wait(t.Context()); err != nil {
					t.Error(err)
				}
				if ledger := srv.Ledger(); ledger.Created != 1 || ledger.Charged != 1 {
					t.Errorf("%d jobs, %d charges", ledger.Created, ledger.Charged)
				}
			})
		})
	}
}

func TestPoll(t *testing.T) {
	in(t, simulator.Timeline{{Status: "queued", For: time.Second}, {Status: "error", Set: map[string]any{"error": "boom"}}},
		func(t *testing.T, _ *simulator.Server, job *api.Job) {
			g, err := job.Poll(t.Context())
			if err != nil || g.ID != job.ID() || g.Status != "queued" || g.Done() || !strings.Contains(string(g.Raw), "queued") {
				t.Errorf("%+v %v", g, err)
			}
			time.Sleep(time.Second)
			g, err = job.Poll(t.Context())
			if err != nil || !g.Done() || g.Video != nil || g.Failure.Message != "boom" {
				t.Errorf("%+v %v", g, err)
			}
		})
}

func TestPollErrors(t *testing.T) {
	srv := simulator.Start(t)
	client := newClient(t, srv)
	_, err := client.Job("nobody/knows:me").Poll(t.Context())
	if poll := (*api.PollError)(nil); !errors.As(err, &poll) || poll.GenerationID != "nobody/knows:me" || !errors.Is(err, api.ErrNotFound) {
		t.Errorf("%v", err)
	}
	_, polled := client.Job("").Poll(t.Context())
	_, waited := client.Job("").Wait(t.Context())
	for _, err := range []error{polled, waited} {
		if input := (*api.InputError)(nil); !errors.As(err, &input) || err.Error() != "wan: generation id: it is empty" {
			t.Errorf("%v", err)
		}
	}
	if requests := srv.Ledger().Requests; len(requests) != 1 {
		t.Errorf("%d requests", len(requests))
	}
}

// Ids of both shapes, and worse, arrive as they are.
func TestIDs(t *testing.T) {
	for _, id := range []string{
		"b5592d70-dd31-4e5a-bc5c-5063660c001b:alibaba/wan2.2-14b-animate-move", "V1StGXR8_Z5jdHi6B-myT", "a b&c=d?e#f%2F+ü/../x",
	} {
		var asked string
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			asked = r.URL.Query().Get("generation_id")
			json.NewEncoder(w).Encode(map[string]string{"id": asked, "status": "queued"})
		}))
		client, err := api.New(api.WithAPIKey("k"), api.WithBaseURL(srv.URL))
		if err != nil {
			t.Fatal(err)
		}
		g, err := client.Job(id).Poll(t.Context())
		srv.Close()
		if err != nil || g.ID != id || asked != id {
			t.Errorf("asked for %q, got %+v %v", asked, g, err)
		}
	}
}

// Watch reports each state once, and ends as Wait does.
func TestWatch(t *testing.T) {
	in(t, simulator.Timeline{{Status: "queued", For: 1500 * time.Millisecond}, {Status: "generating", For: 10 * time.Second}, {Status: "completed"}},
		func(t *testing.T, _ *simulator.Server, job *api.Job) {
			var video *api.Video
			var statuses []string
			polls := 0
			for p, err := range job.Watch(t.Context()) {
				if err != nil {
					t.Fatal(err)
				}
				if polls++; p.Polls != polls || video != nil {
					t.Errorf("state %d is %+v", polls, p)
				}
				if status := string(p.Status); !slices.Contains(statuses, status) {
					statuses = append(statuses, status)
				}
				video = p.Video
			}
			if fmt.Sprint(statuses) != "[queued generating completed]" || video == nil || video.URL == "" {
				t.Errorf("%v %v", statuses, video)
			}
		})
	in(t, simulator.Fail("SafetyCheckFailed", "refused"), func(t *testing.T, _ *simulator.Server, job *api.Job) {
		var last error
		for _, err := range job.Watch(t.Context()) {
			last = err
		}
		if failed := (*api.FailedError)(nil); !errors.As(last, &failed) {
			t.Errorf("%v", last)
		}
		polls := 0
		for range job.Watch(t.Context()) {
			polls++
			break
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		for _, err := range job.Watch(ctx) {
			last = err
		}
		if waiting := (*api.WaitError)(nil); polls != 1 || !errors.As(last, &waiting) || !errors.Is(last, context.Canceled) {
			t.Errorf("%d polls, %v", polls, last)
		}
	})
}

// Which polls end a wait, by what came before them.
func TestRefusedPolls(t *testing.T) {
	const (
		queued    = `{"id":"x","status":"queued"}`
		completed = `{"id":"x","status":"completed"}`
		video     = `{"id":"x","status":"completed","video":{"url":"https://cdn.example.com/video.mp4"}}`
		refused   = `{"message":"no","statusCode":404}`
	)
	type poll struct {
		code int
		body string
	}
	for _, tt := range []struct {
		name  string
		polls []poll // the last one again and again
		want  string
	}{
		{"401, the key never worked", []poll{{401, refused}}, "stopped waiting: the API key isn't valid, 1 polls"},
		{"404 for good, never seen", []poll{{404, refused}}, "stopped waiting: not found, "},
		{"404 of a lagging replica", []poll{{404, refused}, {404, refused}, {200, queued}, {200, video}}, ""},
		{"404 once seen", []poll{{200, queued}, {404, refused}, {404, refused}, {200, video}}, ""},
		{"403 once the key has worked", []poll{{200, queued}, {403, refused}, {200, video}}, ""},
		{"404 for good once seen", []poll{{200, queued}, {404, refused}}, "stopped waiting: not found, "},
		{"422 once seen", []poll{{200, queued}, {422, refused}, {200, video}}, "stopped waiting after 2 polls, 2 polls"},
		{"the URL later", []poll{{200, completed}, {200, completed}, {200, video}}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := 0
				client := respond(t, func(*http.Request) *http.Response {
					poll := tt.polls[min(n, len(tt.polls)-1)]
					n++
					return response(poll.code, poll.body)
				})
				start := time.Now()
				_, err := client.Job("x").Wait(t.Context())
				if took := time.Since(start); took > 25*time.Second {
					t.Errorf("it took %v", took)
				}
				if got := fmt.Sprintf("%s, %d polls", outcome(err), n); (err == nil) != (tt.want == "") || err != nil && !strings.HasPrefix(got, tt.want) {
					t.Errorf("got %s: %v", got, err)
				}
			})
		})
	}
}

// The id with the model behind it and without it are the same generation. The job keeps its own.
func TestFormsOfIDsInPolls(t *testing.T) {
	for _, tt := range []struct {
		asked, answered string
		same            bool
	}{
		{"gen-1", "gen-1", true},
		{"gen-1", "gen-1:vendor/model", true},
		{"gen-1:vendor/model", "gen-1", true},
		{"gen-1:vendor/model", "gen-1:vendor/other", false},
		{"gen-1", "gen-12", false},
		{"gen-1", ":vendor/model", false},
	} {
		for _, end := range []string{`"video":{"url":"https://cdn.example.com/video.mp4"}`, `"error":{"name":"NSFW"}`} {
			client := answering(t, func(w http.ResponseWriter, _ *http.Request) {
				fmt.Fprintf(w, `{"id":%q,"status":"completed",%s}`, tt.answered, end)
			})
			g, err := client.Job(tt.asked).Poll(t.Context())
			if (err == nil) != tt.same || err != nil && !errors.Is(err, api.ErrBadResponse) {
				t.Errorf("%s for %s: %v", tt.answered, tt.asked, err)
			}
			if g == nil {
				continue
			}
			ids := []string{g.ID}
			if g.Video != nil {
				ids = append(ids, g.Video.GenerationID)
			} else {
				ids = append(ids, g.Failure.GenerationID)
			}
			if ids[0] != tt.asked || ids[1] != tt.asked {
				t.Errorf("%s for %s: %q", tt.answered, tt.asked, ids)
			}
		}
	}
}
