package simulator_test

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aimlvideo/wan-go/conformance/simulator"
	"github.com/aimlvideo/wan-go/spec"
)

type logRow struct {
	Created         time.Time
	Status, Model   string
	Cost            struct{ USD, Credits float64 }
	InferenceID     string  `json:"inference_id"`
	ClientRequestID *string `json:"client_request_id"`
}

type logs struct {
	Data       []logRow
	Pagination struct {
		Limit, Offset, Total int
		HasMore              bool `json:"has_more"`
	}
}

// get decodes the response to a GET, which must be 200.
func get[T any](t testing.TB, srv *simulator.Server, path string) (value T) {
	t.Helper()
	a := ask(t, srv, "GET", path, "")
	if a.status != http.StatusOK {
		t.Fatalf("%s has status %d: %s", path, a.status, a.body)
	}
	if err := json.Unmarshal(a.body, &value); err != nil {
		t.Fatalf("%s: %v in %s", path, err, a.body)
	}
	return value
}

// A submission whose response was lost is found by its client request id, once its job has ended and the delay is over.
func TestLogs(t *testing.T) {
	inBubble(t, func(t *testing.T, srv *simulator.Server) {
		srv.Script(simulator.Complete(0, 10*time.Second), simulator.Fail("NSFW", "Refused"), simulator.Timeline{{Status: "generating"}})
		srv.Inject(simulator.Fault{On: simulator.Submit, Times: 1, Effect: simulator.Drop()})
		if _, err := srv.Client().Do(newRequest(t, srv, "POST", generations, move, "X-Client-Request-Id: lost")); err == nil {
			t.Fatal("the response arrived")
		}
		time.Sleep(time.Second)
		submit(t, srv, pose, "X-Client-Request-Id: fails")
		submit(t, srv, move, "X-Client-Request-Id: endless")
		rejected := ask(t, srv, "POST", generations, strings.Replace(move, `"image_url"`, `"x"`, 1), "X-Client-Request-Id: rejected")
		if id := rejected.header.Get("X-Client-Request-Id"); rejected.status != 400 || id != "rejected" {
			t.Errorf("the rejected submission has status %d and echoes %q", rejected.status, id)
		}
		time.Sleep(9*time.Second + 30*time.Second - 1)
		if rows := get[logs](t, srv, "/v2/logs?period=24h").Data; len(rows) != 2 {
			t.Errorf("before the delay is over: %+v", rows)
		}
		time.Sleep(time.Nanosecond)
		rows := get[logs](t, srv, "/v2/logs?period=24h")
		var got []string
		for _, row := range rows.Data {
			got = append(got, fmt.Sprint(*row.ClientRequestID, " ", row.Status, " ", row.Model, " ", row.Cost.USD))
		}
		want := "rejected failed alibaba/wan2.2-14b-animate-move 0, fails failed alibaba/wan2.2-vace-fun-a14b-pose 0, " +
			"lost succeeded alibaba/wan2.2-14b-animate-move 0.21"
		if text := strings.Join(got, ", "); text != want {
			t.Errorf("the rows are\n\t%s, want\n\t%s", text, want)
		}
		if id := rejected.header.Get("X-Inference-Id"); id == "" || rows.Data[0].InferenceID != id {
			t.Errorf("the rejected submission has the inference id %q in the header, %q in the logs", id, rows.Data[0].InferenceID)
		}
		if g := poll(t, srv, rows.Data[2].InferenceID); g.Status != "completed" {
			t.Errorf("the lost job is %q", g.Status)
		}
	}, simulator.WithLogDelay(30*time.Second))
}

func TestLogsPages(t *testing.T) {
	inBubble(t, func(t *testing.T, srv *simulator.Server) {
		for i := range 7 {
			submit(t, srv, map[bool]string{true: move, false: pose}[i%2 == 0], fmt.Sprint("X-Client-Request-Id: r", i))
			time.Sleep(time.Hour)
		}
		ids := func(query string) string {
			page := get[logs](t, srv, "/v2/logs?"+query)
			var ids []string
			for _, row := range page.Data {
				ids = append(ids, strings.TrimPrefix(*row.ClientRequestID, "r"))
			}
			return fmt.Sprint(strings.Join(ids, ""), " of ", page.Pagination.Total, " ", page.Pagination.HasMore)
		}
		start := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC).Format(time.RFC3339)
		for query, want := range map[string]string{
			"period=24h":                               "6543210 of 7 false",
			"period=7d&limit=3":                        "654 of 7 true",
			"period=7d&limit=3&offset=3":               "321 of 7 true",
			"period=7d&limit=3&offset=6":               "0 of 7 false",
			"period=7d&offset=100":                     " of 7 false",
			"period=2h":                                "65 of 2 false",
			"start=" + start + "&end=2000-01-01T02:30": "210 of 3 false", // UTC without an offset
			"start=2000-01-01T03:00:00%2B03:00&end=2000-01-01T03:30:00%2B03:00":                "0 of 1 false",
			"period=24h&model=alibaba/wan2.2-vace-fun-a14b-pose":                               "531 of 3 false",
			"period=24h&model=wan2.2-vace-fun-a14b-pose&model=alibaba/wan2.2-14b-animate-move": "6543210 of 7 false",
			"period=24h&model=wan2.2-vace-fun-a14b-pose,wan2.2-14b-animate-move":               " of 0 false",
			"period=24h&status=failed":                  " of 0 false",
			"period=24h&status=failed&status=succeeded": "6543210 of 7 false",
			"period=24h&key_prefix=" + srv.Key[:8]:      "6543210 of 7 false",
		} {
			if got := ids(query); got != want {
				t.Errorf("%s: %s, want %s", query, got, want)
			}
		}
	}, simulator.WithRetention(24*time.Hour))
}

func TestAccountErrors(t *testing.T) {
	srv := simulator.Start(t, simulator.WithKey(""), simulator.WithTimeline(simulator.Complete(0, 0)))
	submit(t, srv, move, "Authorization: Bearer another-key")
	for path, want := range map[string]int{
		"/v2/logs": 400,
		"/v2/logs?period=24h&start=2026-01-01&end=2026-01-02":                        400,
		"/v2/logs?start=2026-01-01":                                                  400,
		"/v2/logs?start=2026-01-02&end=2026-01-01":                                   400,
		"/v2/logs?start=2026-01-01&end=2026-06-01":                                   400,
		"/v2/logs?start=yesterday&end=2026-06-01":                                    400,
		"/v2/logs?start=2026-01-01&end=2026-04-03":                                   200, // 92 days
		"/v2/logs?period=92d":                                                        200,
		"/v2/logs?period=93d":                                                        400,
		"/v2/logs?period=99999999999999999d":                                         400,
		"/v2/logs?period=0h":                                                         400,
		"/v2/logs?period=-1h":                                                        400,
		"/v2/logs?period=h":                                                          400,
		"/v2/logs?period=1w":                                                         400,
		"/v2/logs?period=1h&limit=0":                                                 400,
		"/v2/logs?period=1h&limit=101":                                               400,
		"/v2/logs?period=1h&limit=x":                                                 400,
		"/v2/logs?period=1h&offset=9223372036854775807":                              200,
		"/v2/logs?period=1h&offset=9223372036854775808":                              400,
		"/v2/logs?period=1h&limit=1e1":                                               400,
		"/v2/logs?period=1h&offset=-1":                                               400,
		"/v2/logs?period=1h&status=succeeded,failed":                                 400,
		"/v2/logs?period=1h" + strings.Repeat("&model=m", 50):                        200,
		"/v2/logs?period=1h" + strings.Repeat("&model=m", 51):                        400,
		"/v2/logs?period=1h&key_prefix=another-":                                     403,
		"/v2/logs?period=1h&key_prefix=nobodys-":                                     404,
		"/v2/billing":                                                                200,
		"/v2/billing/transactions":                                                   200,
		"/v2/billing/transactions?limit=0":                                           400,
		"/v2/billing/transactions?limit=100&page=2":                                  400,
		"/v2/billing/transactions?cursor=rubbish":                                    400,
		"/v2/billing/transactions?direction=IN":                                      400,
		"/v2/billing/transactions?type=FREE":                                         400,
		"/v2/billing/transactions?from=2026-01-01":                                   400,
		"/v2/billing/transactions?from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z": 400,
	} {
		a := ask(t, srv, "GET", path, "")
		if a.status != want {
			t.Errorf("%s has status %d, want %d: %s", path, a.status, want, a.body)
		}
		if want >= 400 {
			check(t, a)
		}
	}
	if message := ask(t, srv, "GET", "/v2/logs?period=0h", "").decode(t).Message; !strings.HasSuffix(message, "period: expected a string such as 7d") {
		t.Errorf("the message is %q", message)
	}
	for _, path := range []string{"/v2/logs?period=1h", "/v2/billing", "/v2/billing/transactions"} {
		if a := ask(t, srv, "GET", path, "", "Authorization:"); a.status != 401 {
			t.Errorf("%s without a key has status %d", path, a.status)
		}
		if a := ask(t, srv, "POST", path, "{}"); a.status != 405 {
			t.Errorf("POST %s has status %d", path, a.status)
		}
	}
}

// The documented limit is 200 requests in 60 seconds, for each key.
func TestLogsLimit(t *testing.T) {
	inBubble(t, func(t *testing.T, srv *simulator.Server) {
		for range 200 {
			get[logs](t, srv, "/v2/logs?period=1h")
		}
		if a := ask(t, srv, "GET", "/v2/logs?period=1h", ""); a.status != 429 {
			t.Errorf("request 201 has status %d", a.status)
		}
		if a := ask(t, srv, "GET", "/v2/logs?period=1h", "", "Authorization: Bearer other"); a.status != 200 {
			t.Errorf("another key's request has status %d", a.status)
		}
		time.Sleep(time.Minute)
		if a := ask(t, srv, "GET", "/v2/logs?period=1h", ""); a.status != 200 {
			t.Errorf("a minute later, a request has status %d", a.status)
		}
	}, simulator.WithKey(""))
}

// The balance sinks on completion. Running jobs are reserved, so that it never gets below zero; failed ones are released.
func TestBalance(t *testing.T) {
	inBubble(t, func(t *testing.T, srv *simulator.Server) {
		balance := func(want float64) {
			t.Helper()
			type billing struct {
				Balance  float64 `json:"current_balance"`
				Currency string
			}
			if b := get[billing](t, srv, "/v2/billing"); math.Abs(b.Balance-want) > 1e-9 || b.Currency != "USD" || math.Abs(srv.Ledger().Balance-want) > 1e-9 {
				t.Errorf("the balance is %+v, want %v", b, want)
			}
		}
		srv.Script(simulator.Complete(0, time.Second), simulator.Fail("N", "M"))
		submit(t, srv, move)
		submit(t, srv, move)
		balance(0.5)
		a := ask(t, srv, "POST", generations, move)
		if message := a.decode(t).Message; a.status != 403 || !strings.Contains(message, "credits") {
			t.Errorf("the third submission has status %d: %s", a.status, message)
		}
		check(t, a)
		time.Sleep(time.Second)
		balance(0.29)
		submit(t, srv, move)
		time.Sleep(time.Minute)
		balance(0.08)
		if a := ask(t, srv, "POST", generations, move); a.status != 403 {
			t.Errorf("the last submission has status %d", a.status)
		}
		if l := srv.Ledger(); l.Created != 3 || l.Charged != 2 {
			t.Errorf("%d created, %d charged", l.Created, l.Charged)
		}
	}, simulator.WithBalance(0.5))
}

func TestTransactions(t *testing.T) {
	type transactions struct {
		Data []struct {
			CreatedAt       time.Time `json:"created_at"`
			Direction, Type string
			Amount          struct{ USD float64 }
			ReferenceID     *string `json:"reference_id"`
		}
		Pagination struct {
			NextCursor *string `json:"next_cursor"`
			HasMore    bool    `json:"has_more"`
		}
	}
	inBubble(t, func(t *testing.T, srv *simulator.Server) {
		var ids []string
		for range 5 {
			ids = append([]string{submit(t, srv, move)}, ids...)
		}
		time.Sleep(time.Minute)
		for range 2 {
			ids = append([]string{submit(t, srv, move)}, ids...)
			time.Sleep(time.Minute)
		}
		seen, pages := map[string]bool{}, 0
		for cursor := ""; ; pages++ {
			page := get[transactions](t, srv, "/v2/billing/transactions?type=MODEL_USAGE&limit=2"+cursor)
			for _, entry := range page.Data {
				if entry.Direction != "CHARGE" || entry.Amount.USD != simulator.USDPerJob || seen[*entry.ReferenceID] {
					t.Errorf("%+v", entry)
				}
				seen[*entry.ReferenceID] = true
			}
			if page.Pagination.HasMore != (page.Pagination.NextCursor != nil) {
				t.Errorf("%+v", page.Pagination)
			}
			if pages == 0 {
				submit(t, srv, move) // a new entry doesn't move the pages
				time.Sleep(time.Minute)
			}
			if !page.Pagination.HasMore {
				break
			}
			cursor = "&cursor=" + url.QueryEscape(*page.Pagination.NextCursor)
		}
		for _, id := range ids {
			if !seen[id] {
				t.Errorf("%s isn't in the ledger", id)
			}
		}
		if len(seen) != 7 || pages != 3 {
			t.Errorf("%d entries on %d pages", len(seen), pages+1)
		}
		if top := get[transactions](t, srv, "/v2/billing/transactions?direction=TOPUP"); len(top.Data) != 1 || top.Data[0].Amount.USD != 10 {
			t.Errorf("%+v", top)
		}
	}, simulator.WithBalance(10))
}

type catalogue struct {
	Object string
	Data   []struct {
		ID      string
		Aliases []string
		Info    struct{ DocsJSON string }
		Pricing *simulator.Price
	}
}

// The catalogue shows the prices, and jobs cost what it says.
func TestPrices(t *testing.T) {
	variants := simulator.Price{Kind: "variants", Dimensions: []string{"resolution"}, Variants: []simulator.Rate{
		{When: map[string]any{"resolution": "480p"}, Price: 0.2, Unit: "second", Per: 1},
		{When: map[string]any{"resolution": "720p"}, Price: 3.9, Unit: "second", Per: 10},
	}}
	srv := simulator.Start(t, simulator.WithTimeline(simulator.Complete(0, 0)), simulator.WithPrices(map[string]simulator.Price{
		"vace-fun-pose": variants, "animate-move": {Kind: "variable"},
	}))
	if all := get[catalogue](t, srv, "/v1/models"); all.Object != "list" || len(all.Data) != len(spec.Models()) || all.Data[0].Pricing != nil {
		t.Errorf("%+v", all)
	}
	for query, want := range map[string]string{
		"id=alibaba/wan2.2-vace-fun-a14b-pose&include=pricing":      "variants",
		"id=wan2.2-vace-fun-a14b-pose&include=capabilities,pricing": "variants",
		"id=wan2.2-14b-animate-move&details=true":                   "variable",
		"id=wan2.2-14b-animate-replace&include=all":                 "fixed",
	} {
		if c := get[catalogue](t, srv, "/v1/models?"+query); len(c.Data) != 1 || c.Data[0].Pricing == nil || c.Data[0].Pricing.Kind != want || c.Data[0].Pricing.Currency != "USD" {
			t.Errorf("%s: %+v", query, c)
		}
	}
	for query, want := range map[string]int{"output_modalities=video": len(spec.Models()), "output_modalities=text": 0, "input_modalities=image&modalities=video": len(spec.Models()), "capabilities=x": 0} {
		if c := get[catalogue](t, srv, "/v1/models?"+query); len(c.Data) != want {
			t.Errorf("%s: %d models", query, len(c.Data))
		}
	}
	if c := get[catalogue](t, srv, "/v1/models?id=gpt-4o"); len(c.Data) != 0 {
		t.Errorf("%+v", c)
	}
	a := ask(t, srv, "GET", "/v1/models", "", "Authorization:")
	if b := ask(t, srv, "GET", "/v1/models", "", "If-None-Match: "+a.header.Get("ETag")); a.status != 200 || b.status != 304 {
		t.Errorf("without a key %d, with the ETag %d", a.status, b.status)
	}
	for body, want := range map[string]float64{
		strings.Replace(pose, "{", `{"resolution":"720p","num_frames":160,"frames_per_second":16,`, 1):        3.9,
		strings.Replace(pose, "{", `{"resolution":"480p","num_frames":160,"frames_per_second":16,`, 1):        2,
		strings.Replace(pose, "{", `{"resolution":"480p","num_frames":160,"match_input_num_frames":true,`, 1): 1,
		strings.Replace(pose, "{", `{"resolution":"240p",`, 1):                                                simulator.USDPerJob,
		move: simulator.USDPerJob,
	} {
		id := submit(t, srv, body, "X-Client-Request-Id: priced")
		jobs := srv.Ledger().Jobs
		got := ask(t, srv, "GET", pollPath(id), "").header.Get("X-Aimlapi-Usd-Spent")
		if jobs[len(jobs)-1].USD != want || got != fmt.Sprint(want) {
			t.Errorf("%s costs %v, %s in the header, want %v", body, jobs[len(jobs)-1].USD, got, want)
		}
	}
}

// With the logs down, the other endpoints work.
func TestLogsDown(t *testing.T) {
	srv := simulator.Start(t, simulator.WithFaults(simulator.Fault{On: simulator.Logs, Effect: simulator.Status(503)}))
	submit(t, srv, move)
	for path, want := range map[string]int{"/v2/logs?period=1h": 503, "/v2/billing": 200, "/v1/models": 200} {
		if a := ask(t, srv, "GET", path, ""); a.status != want {
			t.Errorf("%s has status %d, want %d", path, a.status, want)
		}
	}
}

// Lost responses with a probability: the same submissions are lost with the same seed, and each one is in the logs.
func TestLostResponses(t *testing.T) {
	lost := func() (lost string) {
		inBubble(t, func(t *testing.T, srv *simulator.Server) {
			srv.Inject(simulator.Fault{On: simulator.Submit, Probability: 0.3, Effect: simulator.Drop()})
			for i := range 50 {
				res, err := srv.Client().Do(newRequest(t, srv, "POST", generations, move, fmt.Sprint("X-Client-Request-Id: r", i)))
				if err != nil {
					lost += fmt.Sprint(" ", i)
					continue
				}
				res.Body.Close()
			}
			time.Sleep(time.Minute)
			if page := get[logs](t, srv, "/v2/logs?period=1h&limit=100"); len(page.Data) != 50 {
				t.Errorf("%d rows", len(page.Data))
			}
		}, simulator.WithSeed(7))
		return lost
	}
	first := lost()
	if n := strings.Count(first, " "); n < 5 || n > 25 {
		t.Errorf("%d of 50 are lost", n)
	}
	if again := lost(); again != first {
		t.Errorf("with one seed, %s are lost, then %s", first, again)
	}
}
