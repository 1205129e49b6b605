package simulator_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/aimlvideo/wan-go/conformance/simulator"
)

// One submission, one job, one charge, all in the ledger.
func TestLedger(t *testing.T) {
	inBubble(t, func(t *testing.T, srv *simulator.Server) {
		began := time.Now()
		id := submit(t, srv, move, "X-Client-Request-Id: clip-1")
		if l := srv.Ledger(); l.Created != 1 || l.Charged != 0 || l.Credits != 0 || l.USD != 0 {
			t.Errorf("before the job is completed: %+v", l)
		}
		poll(t, srv, id)
		time.Sleep(3 * time.Second)
		url := poll(t, srv, id).Video.URL
		ask(t, srv, "GET", url, "", "Range: bytes=5-")
		time.Sleep(time.Second)

		sum := sha256.Sum256([]byte(move))
		path := strings.TrimPrefix(url, srv.URL)
		completed := began.Add(3 * time.Second)
		want := simulator.Ledger{
			Created: 1, Charged: 1, Credits: 420_000, USD: simulator.USDPerJob, Balance: 1e6 - simulator.USDPerJob, Polls: 2, Downloads: 1,
			Jobs: []simulator.Job{{
				ID: id, Model: "alibaba/wan2.2-14b-animate-move", ClientRequestID: "clip-1", Created: began,
				Status: "completed", Charged: true, USD: simulator.USDPerJob, Polls: 2, Downloads: 1,
				Body:     json.RawMessage(`{"image_url":"https://example.com/i.png","model":"alibaba/wan2.2-14b-animate-move","video_url":"https://example.com/v.mp4"}`),
				BodySize: len(move), BodySHA256: hex.EncodeToString(sum[:]), Result: path, Size: "854x480",
			}},
			Requests: []simulator.Entry{
				{Time: began, Method: "POST", Path: generations, Operation: "submit", ClientRequestID: "clip-1", Status: 200, Job: id, Note: "animate-move queued"},
				{Time: began, Method: "GET", Path: generations, Operation: "poll", Status: 200, Job: id, Note: "queued"},
				{Time: completed, Method: "GET", Path: generations, Operation: "poll", Status: 200, Job: id, Note: "completed"},
				{Time: completed, Method: "GET", Path: path, Operation: "download", Status: 206, Job: id, Note: "854x480 bytes=5-"},
			},
		}
		if got := srv.Ledger(); !reflect.DeepEqual(got, want) {
			t.Errorf("the ledger is\n%s\nwant\n%s", indent(t, got), indent(t, want))
		}
	})
}

func indent(t *testing.T, value any) []byte {
	b, err := json.MarshalIndent(value, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// A lost response is charged; a rejected submission and a failed job aren't.
func TestCharges(t *testing.T) {
	tests := []struct {
		name    string
		option  simulator.Option
		want    string
		credits int
	}{
		{"completed", simulator.WithTimeline(simulator.Complete(0, 0)), "1 created, 1 charged, 0 rejected", 420_000},
		{"failed", simulator.WithTimeline(simulator.Fail("N", "M")), "1 created, 0 charged, 0 rejected", 0},
		{"unfinished", simulator.WithTimeline(simulator.Complete(time.Hour, 0)), "1 created, 0 charged, 0 rejected", 0},
		{"lost", simulator.WithFaults(simulator.Fault{Effect: simulator.Drop()}), "1 created, 1 charged, 0 rejected", 420_000},
		{"refused", simulator.WithFaults(simulator.Fault{Effect: simulator.Status(503)}), "0 created, 0 charged, 1 rejected", 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, srv *simulator.Server) {
				res, err := srv.Client().Do(newRequest(t, srv, "POST", generations, move))
				if err == nil {
					res.Body.Close()
				}
				time.Sleep(time.Minute) // nobody polls
				l := srv.Ledger()
				if got := summary(l); got != test.want || l.Credits != test.credits {
					t.Errorf("%s, %d credits, want %s, %d credits", got, l.Credits, test.want, test.credits)
				}
			}, test.option)
		})
	}
}

// A job is forgotten after its retention, its charge isn't. Reading the ledger in between changes nothing.
func TestChargesOfForgottenJobs(t *testing.T) {
	for _, look := range []bool{false, true} {
		inBubble(t, func(t *testing.T, srv *simulator.Server) {
			srv.Script(simulator.Complete(0, 3*time.Second), simulator.Fail("N", "M"), simulator.Complete(0, 0), simulator.Complete(0, time.Hour))
			for range 4 {
				submit(t, srv, move)
			}
			for second := range 8 {
				if l := srv.Ledger(); look && l.Charged != 1+second/3 && second < 6 {
					t.Errorf("%d charged after %d s", l.Charged, second)
				}
				time.Sleep(time.Second)
			}
			if l := srv.Ledger(); l.Charged != 2 || len(l.Jobs) != 1 {
				t.Errorf("%d charged, %d remembered, want 2 and 1", l.Charged, len(l.Jobs))
			}
			time.Sleep(2 * time.Hour)
			if l := srv.Ledger(); l.Charged != 3 || len(l.Jobs) != 0 {
				t.Errorf("%d charged, %d remembered, want 3 and 0", l.Charged, len(l.Jobs))
			}
		}, simulator.WithRetention(time.Second))
	}
}

// The ledger keeps a large body's size and sum, but not its data.
func TestLedgerBody(t *testing.T) {
	srv := simulator.Start(t)
	data := strings.Repeat("QUJD", 1000)
	tests := []struct{ property, value, want string }{
		{"image_url", "data:image/png;base64," + data, "data:image/png;base64,... (4000 characters)"},
		{"image_url", "https://example.com/" + strings.Repeat("i", 980), "https://example.com/" + strings.Repeat("i", 980)},
		{"not_documented", strings.Repeat("ü", 501), strings.Repeat("ü", 500) + "... (1002 bytes)"},
		{"not_documented", "short, data:", "short, data:"},
	}
	for i, test := range tests {
		request := map[string]string{}
		if err := json.Unmarshal([]byte(move), &request); err != nil {
			t.Fatal(err)
		}
		request[test.property] = test.value
		body, _ := json.Marshal(request)
		submit(t, srv, string(body))
		job := srv.Ledger().Jobs[i]
		request[test.property] = test.want
		if want, _ := json.Marshal(request); string(job.Body) != string(want) {
			t.Errorf("the ledger holds the body\n\t%s, want\n\t%s", job.Body, want)
		}
		sum := sha256.Sum256(body)
		if job.BodySize != len(body) || job.BodySHA256 != hex.EncodeToString(sum[:]) {
			t.Errorf("the ledger holds %d bytes with the sum %s", job.BodySize, job.BodySHA256)
		}
	}
	long := strings.Replace(move, "{", `{"x":[`+strings.Repeat(`"0123456789",`, 5000)+`0],`, 1)
	submit(t, srv, long)
	if body := srv.Ledger().Jobs[len(tests)].Body; string(body) != fmt.Sprintf(`"a body of %d bytes"`, len(long)) {
		t.Errorf("of a body with many members, the ledger holds %d bytes: %.100s", len(body), body)
	}
}

// Downloads that carry headers of the API are leaks.
func TestLeaks(t *testing.T) {
	srv := simulator.Start(t, simulator.WithTimeline(simulator.Complete(0, 0)))
	url := poll(t, srv, submit(t, srv, move)).Video.URL
	for i, header := range []string{"Accept: */*", "Authorization: Bearer " + srv.Key, "X-Client-Request-Id: clip-1"} {
		if a := ask(t, srv, "GET", url, "", header); a.status != http.StatusOK {
			t.Errorf("%s: status %d", header, a.status)
		}
		if got := srv.Ledger().Leaks; got != i {
			t.Errorf("%d leaks after %s, want %d", got, header, i)
		}
	}
}

// The ledger is a copy.
func TestLedgerCopy(t *testing.T) {
	srv := simulator.Start(t)
	submit(t, srv, move)
	l := srv.Ledger()
	l.Jobs[0].ID, l.Requests[0].Path, l.Created = "mine", "mine", 5
	if l := srv.Ledger(); l.Jobs[0].ID == "mine" || l.Requests[0].Path == "mine" || l.Created != 1 {
		t.Errorf("the ledger has changed: %+v", l)
	}
}

func TestHistoryIsBounded(t *testing.T) {
	sim := simulator.New()
	for i := range 2345 {
		sim.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, fmt.Sprint("/unknown/", i), nil))
	}
	l := sim.Ledger()
	if len(l.Requests) != 1000 || l.Rejected != 2345 {
		t.Fatalf("%d requests are remembered of %d", len(l.Requests), l.Rejected)
	}
	for i, entry := range l.Requests {
		if want := fmt.Sprint("/unknown/", 1345+i); entry.Path != want {
			t.Fatalf("request %d is %s, want %s", i, entry.Path, want)
		}
	}
}

// One line per request, without the key, the body or control characters.
func TestLog(t *testing.T) {
	var log strings.Builder
	inBubble(t, func(t *testing.T, srv *simulator.Server) {
		srv.Inject(simulator.Fault{On: simulator.Submit, After: 1, Times: 1, Effect: simulator.Drop()})
		id := submit(t, srv, move, "X-Client-Request-Id: clip-1")
		if _, err := srv.Client().Do(newRequest(t, srv, "POST", generations, move)); err == nil {
			t.Error("the fault has no effect")
		}
		ask(t, srv, "POST", generations, move, "Authorization: Bearer wrong-key")
		ask(t, srv, "GET", "/x%0a%1b%5b31m%0d", "")
		time.Sleep(time.Second)
		lost := srv.Ledger().Jobs[1].ID
		want := "00:00:00.000 200 submit   " + id[:8] + " animate-move queued\n" +
			"00:00:00.000 --- submit   " + lost[:8] + " [fault: drop] animate-move queued\n" +
			"00:00:00.000 401 submit   Unauthorized: the key isn't valid\n" +
			"00:00:00.000 404 GET /x\\n\\x1b[31m\\r Cannot GET /x\\n\\x1b[31m\\r\n"
		if got := log.String(); got != want {
			t.Errorf("the log is\n%s\nwant\n%s", got, want)
		}
	}, simulator.WithLog(func(e simulator.Entry) { fmt.Fprintln(&log, e) }))
}
