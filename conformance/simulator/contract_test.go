package simulator_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aimlvideo/wan-go/conformance"
	"github.com/aimlvideo/wan-go/conformance/simulator"
	"github.com/aimlvideo/wan-go/spec"
)

// check validates a response against the specs, and that curl users can read it.
func check(t *testing.T, a response) {
	t.Helper()
	status := a.status
	switch status {
	case http.StatusMethodNotAllowed, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType:
		status = http.StatusBadRequest // the documents don't declare these
	}
	if findings := conformance.CheckResponse(spec.Generation(), status, a.body); findings != nil {
		t.Errorf("the specs don't allow the response %d: %v in %s", a.status, findings, a.body)
	}
	var indented bytes.Buffer
	if err := json.Indent(&indented, bytes.TrimSpace(a.body), "", "  "); err != nil {
		t.Errorf("%v in %q", err, a.body)
	}
	if indented.WriteByte('\n'); indented.String() != string(a.body) {
		t.Errorf("the response isn't indented: %q", a.body)
	}
	if got := a.header.Get("Content-Type"); got != "application/json; charset=utf-8" {
		t.Errorf("the Content-Type is %q", got)
	}
	if got := a.header.Get("Content-Length"); got != fmt.Sprint(len(a.body)) {
		t.Errorf("the Content-Length is %q, with %d bytes", got, len(a.body))
	}
}

func TestRejected(t *testing.T) {
	without := func(property string) string { return strings.Replace(move, `"`+property+`"`, `"x"`, 1) }
	with := func(members string) string { return strings.TrimSuffix(move, "}") + "," + members + "}" }
	tests := []struct {
		name, method, path, body string
		header                   string
		status                   int
		message                  string
	}{
		{"no key", "POST", generations, move, "Authorization:", 401, "Unauthorized: expected an Authorization header with a bearer key"},
		{"no key on a poll", "GET", generations, "", "Authorization:", 401, "Unauthorized: expected an Authorization header with a bearer key"},
		{"empty key", "POST", generations, move, "Authorization: Bearer ", 401, "Unauthorized: expected an Authorization header with a bearer key"},
		{"not bearer", "POST", generations, move, "Authorization: Basic dTpw", 401, "Unauthorized: expected an Authorization header with a bearer key"},
		{"bare key", "POST", generations, move, "Authorization: key", 401, "Unauthorized: expected an Authorization header with a bearer key"},
		{"wrong key", "POST", generations, move, "Authorization: Bearer wrong", 401, "Unauthorized: the key isn't valid"},
		{"wrong key on a poll", "GET", generations, "", "Authorization: Bearer wrong", 401, "Unauthorized: the key isn't valid"},
		{"key before body", "POST", generations, "{", "Authorization: Bearer wrong", 401, "Unauthorized: the key isn't valid"},

		{"unknown id", "GET", pollPath("b5592d70:alibaba/wan"), "", "", 404, "Generation not found"},
		{"unknown path", "GET", "/v2/video/generation", "", "", 404, "Cannot GET /v2/video/generation"},
		{"id as a path", "GET", generations + "/1", "", "", 404, "Cannot GET /v2/video/generations/1"},
		{"unknown path, POST", "POST", "/v1/images", "{}", "", 404, "Cannot POST /v1/images"},
		{"POST of the page", "POST", "/", move, "", 404, "Cannot POST /"},
		{"unknown result", "GET", "/files/0123456789abcdef/0.mp4", "", "", 404, "No such file"},
		{"method", "DELETE", generations, "", "", 405, "Cannot DELETE /v2/video/generations"},
		{"method on a result", "PUT", "/files/0123456789abcdef/0.mp4", "", "", 405, "Cannot PUT /files/0123456789abcdef/0.mp4"},

		{"no id", "GET", generations, "", "", 400, "Query validation error: generation_id: expected a non-empty string, received nothing"},
		{"empty id", "GET", pollPath(""), "", "", 400, "Query validation error: generation_id: expected a non-empty string, received nothing"},

		{"too large", "POST", generations, with(`"x":"` + strings.Repeat("x", 1000) + `"`), "", 413, "Payload too large: expected at most 1000 bytes"},
		{"no media type", "POST", generations, move, "Content-Type:", 415, "Unsupported media type: expected application/json"},
		{"form", "POST", generations, move, "Content-Type: application/x-www-form-urlencoded", 415, "Unsupported media type: expected application/json"},
		{"rubbish media type", "POST", generations, move, "Content-Type: ;;", 415, "Unsupported media type: expected application/json"},

		{"empty body", "POST", generations, "", "Content-Type: application/json", 400, "Body validation error: body: expected well-formed JSON, received nothing"},
		{"broken JSON", "POST", generations, "{", "", 400, "Body validation error: body: expected well-formed JSON, received something else at byte 1"},
		{"trailing garbage", "POST", generations, move + "x", "", 400, fmt.Sprintf("Body validation error: body: expected one JSON value, received more after it, at byte %d", len(move))},
		{"two values", "POST", generations, move + "{}", "", 400, fmt.Sprintf("Body validation error: body: expected one JSON value, received more after it, at byte %d", len(move)+1)},
		{"member twice", "POST", generations, with(`"model":"m"`), "", 400, "Body validation error: /model: expected the member once, received a duplicate"},
		{"array", "POST", generations, "[]", "", 400, "Body validation error: body: expected an object, received an array of 0"},
		{"null", "POST", generations, "null", "", 400, "Body validation error: body: expected an object, received null"},
		{"no model", "POST", generations, without("model"), "", 400, "Body validation error: /model: expected one of " + models() + ", received nothing"},
		{"unknown model", "POST", generations, `{"model":"sora"}`, "", 400, "Body validation error: /model: expected one of " + models() + `, received "sora"`},
		{"missing property", "POST", generations, without("image_url"), "", 400, "Body validation error: /image_url: expected a URL or a data URI, received nothing"},
		{"enum", "POST", generations, with(`"resolution":"1080p"`), "", 400, `Body validation error: /resolution: expected one of 480p, 580p, 720p, received "1080p"`},
		{"type", "POST", generations, with(`"shift":"5"`), "", 400, `Body validation error: /shift: expected a number, received "5"`},
		{"null property", "POST", generations, with(`"shift":null`), "", 400, "Body validation error: /shift: expected a number, received null"},
	}
	srv := simulator.Start(t, simulator.WithMaxBody(1000))
	for i, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var headers []string
			if test.header != "" {
				headers = append(headers, test.header)
			}
			a := ask(t, srv, test.method, test.path, test.body, headers...)
			if a.status != test.status {
				t.Errorf("status %d, want %d", a.status, test.status)
			}
			if got := a.decode(t).Message; got != test.message {
				t.Errorf("the message is\n\t%s, want\n\t%s", got, test.message)
			}
			if allow := a.header.Get("Allow"); (allow != "") != (test.status == http.StatusMethodNotAllowed) {
				t.Errorf("the Allow header is %q", allow)
			}
			check(t, a)
			if l := srv.Ledger(); l.Created != 0 || l.Rejected != i+1 || l.Requests[i].Status != test.status || l.Requests[i].Note != test.message {
				t.Errorf("the ledger holds %d created, %d rejected, %v", l.Created, l.Rejected, l.Requests[i])
			}
		})
	}
	if allow := ask(t, srv, "PATCH", generations, "").header.Get("Allow"); allow != "GET, HEAD, POST" {
		t.Errorf("Allow: %s", allow)
	}
}

func models() string {
	var ids []string
	for _, d := range spec.Models() {
		ids = append(ids, d.Model)
	}
	return strings.Join(ids, ", ")
}

// A response lists all violations of a body, up to a limit.
func TestFindings(t *testing.T) {
	srv := simulator.Start(t)
	document, _ := spec.ByModel("alibaba/wan2.2-vace-fun-a14b-pose")
	frames := document.Request().Properties["num_frames"].Value
	low := int(*frames.Min)
	a := ask(t, srv, "POST", generations, `{"model":"alibaba/wan2.2-vace-fun-a14b-pose","num_frames":`+fmt.Sprint(low-1)+`,"shift":"x","image_list":["nowhere"]}`)
	check(t, a)
	message := a.decode(t).Message
	for _, want := range []string{
		fmt.Sprintf("/num_frames: expected %s, received %d", spec.Describe(frames), low-1),
		"/shift: expected a number",
		"/image_list/0: expected a URL or a data URI",
		"/video_url: expected a URL or a data URI, received nothing",
		"/prompt: expected a string",
	} {
		if !strings.Contains(message, want) {
			t.Errorf("the message lacks %q: %s", want, message)
		}
	}
	if findings := srv.Ledger().Requests[0].Findings; len(findings) != 5 {
		t.Errorf("the ledger holds %d findings: %v", len(findings), findings)
	}

	numbers := strings.TrimSuffix(strings.Repeat("0,", 1000), ",")
	a = ask(t, srv, "POST", generations, strings.Replace(pose, "{", `{"image_list":[`+numbers+`],`, 1))
	if message := a.decode(t).Message; a.status != 400 || len(message) > 10_000 || !strings.HasSuffix(message, " more") {
		t.Errorf("a thousand faults has status %d with %d bytes", a.status, len(message))
	}
	if findings := srv.Ledger().Requests[1].Findings; len(findings) != 50 {
		t.Errorf("the ledger holds %d findings of a thousand", len(findings))
	}
}

// Examples of the specs are accepted, and so are unknown members.
func TestAccepted(t *testing.T) {
	srv := simulator.Start(t)
	accept := func(d *spec.Document, request map[string]any) {
		t.Helper()
		body, err := json.Marshal(request)
		if err != nil {
			t.Fatal(err)
		}
		a := ask(t, srv, "POST", generations, string(body), "Content-Type: Application/JSON; charset=utf-8")
		g := a.decode(t)
		if a.status != http.StatusOK || g.Status != "queued" {
			t.Fatalf("%s has status %d: %s", body, a.status, a.body)
		}
		check(t, a)
		if id := a.header.Get("X-Inference-Id"); id != g.ID || !strings.HasSuffix(id, ":"+d.Model) {
			t.Errorf("the id is %q in the header, %q in the body, for the model %s", id, g.ID, d.Model)
		}
		polled := ask(t, srv, "GET", pollPath(g.ID), "")
		check(t, polled)
		if id := polled.decode(t).ID; id != g.ID {
			t.Errorf("asked for %s, the response is about %s", g.ID, id)
		}
	}
	for _, d := range spec.Models() {
		examples := d.Operation.RequestBody.Value.Content["application/json"].Examples
		if len(examples) == 0 {
			t.Errorf("%s has no examples", d.Slug)
		}
		for _, example := range examples {
			request := example.Value.Value.(map[string]any)
			accept(d, request)
			request["not_documented"] = map[string]any{"deep": []any{nil, 1, "x"}}
			accept(d, request)
		}
	}
}

func TestKeys(t *testing.T) {
	own := simulator.Start(t, simulator.WithKey("secret"))
	if own.Key != "secret" {
		t.Errorf("the key is %q", own.Key)
	}
	submit(t, own, move)
	submit(t, own, move, "Authorization: bearer secret") // the scheme has no case
	open := simulator.Start(t, simulator.WithKey(""))
	submit(t, open, move)
	submit(t, open, move, "Authorization: Bearer anything")
	for _, header := range []string{"", "Bearer ", "Bearer   "} { // net/http would trim them on the way
		w, r := httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, generations, nil)
		r.Header.Set("Authorization", header)
		if open.ServeHTTP(w, r); w.Code != http.StatusUnauthorized {
			t.Errorf("with %q: %d", header, w.Code)
		}
	}
}

func TestHeaders(t *testing.T) {
	srv := simulator.Start(t, simulator.WithTimeline(simulator.Complete(0, 0)))
	for _, test := range []struct{ id, want string }{
		{"my-batch-7:clip_42.A", "my-batch-7:clip_42.A"},
		{strings.Repeat("x", 128), strings.Repeat("x", 128)},
		{strings.Repeat("x", 129), ""},
		{"white space", ""},
		{"sl/ash", ""},
		{"ümlaut", ""},
		{"", ""},
	} {
		a := ask(t, srv, "POST", generations, move, "X-Client-Request-Id: "+test.id)
		id := a.decode(t).ID
		b := ask(t, srv, "GET", pollPath(id), "", "X-Client-Request-Id: "+test.id)
		for _, a := range []response{a, b} {
			if got := a.header.Get("X-Client-Request-Id"); a.status != http.StatusOK || got != test.want {
				t.Errorf("the client request id %q is echoed as %q with %d", test.id, got, a.status)
			}
		}
		jobs := srv.Ledger().Jobs
		if got := jobs[len(jobs)-1].ClientRequestID; got != test.want {
			t.Errorf("the ledger holds the client request id %q for %q", got, test.id)
		}
	}

	srv.Script(simulator.Complete(0, 0), simulator.Timeline{{Status: "queued"}}, simulator.Timeline{{Status: "error"}})
	for _, want := range []struct{ status, credits, usd string }{{"completed", "420000", "0.21"}, {"queued", "", ""}, {"error", "", ""}} {
		a := ask(t, srv, "GET", pollPath(submit(t, srv, move)), "")
		credits, usd := a.header.Get("X-Aimlapi-Credits-Used"), a.header.Get("X-Aimlapi-Usd-Spent")
		if status := a.decode(t).Status; status != want.status || credits != want.credits || usd != want.usd {
			t.Errorf("%s: %q credits and %q dollars, want %+v", status, credits, usd, want)
		}
		check(t, a)
	}
}

// A response about a well-formed id has it in the header, whatever the status code is. The catalogue has the client's id.
func TestTrace(t *testing.T) {
	srv := simulator.Start(t)
	const id = "b5592d70-dd31-4e5a-bc5c-5063660c001b:alibaba/wan2.2-14b-animate-move"
	trace := func(want string, a response) {
		t.Helper()
		if got := a.header.Get("X-Inference-Id"); got != want {
			t.Errorf("status %d has the inference id %q, want %q", a.status, got, want)
		}
	}
	trace(id, ask(t, srv, "GET", pollPath(id), ""))
	trace(id, ask(t, srv, "GET", pollPath(id), "", "Authorization:"))
	trace("", ask(t, srv, "GET", pollPath("two words"), ""))
	trace("", ask(t, srv, "GET", pollPath(""), ""))
	srv.Inject(simulator.Fault{Effect: simulator.Status(503), Times: 2})
	trace(id, ask(t, srv, "GET", pollPath(id), ""))
	if a := ask(t, srv, "POST", generations, move); a.status != 503 || a.header.Get("X-Inference-Id") == "" {
		t.Errorf("a failed submission has status %d and no inference id", a.status)
	}
	if a := ask(t, srv, "GET", "/v1/models", "", "X-Client-Request-Id: mine"); a.header.Get("X-Client-Request-Id") != "mine" {
		t.Errorf("the catalogue's header is %v", a.header)
	}
}

func TestHead(t *testing.T) {
	srv := simulator.Start(t)
	id := submit(t, srv, move)
	get, head := ask(t, srv, "GET", pollPath(id), ""), ask(t, srv, "HEAD", pollPath(id), "")
	if head.status != http.StatusOK || len(head.body) != 0 || head.header.Get("Content-Length") != get.header.Get("Content-Length") {
		t.Errorf("HEAD has status %d %v with %d bytes", head.status, head.header, len(head.body))
	}
}

// The result URL works below any path prefix.
func TestPrefix(t *testing.T) {
	srv := simulator.Start(t, simulator.WithTimeline(simulator.Complete(0, 0)))
	mux := http.NewServeMux()
	mux.Handle("/mounted/here/", srv.Simulator)
	mounted := httptest.NewServer(mux)
	defer mounted.Close()
	secure := httptest.NewTLSServer(srv.Simulator)
	defer secure.Close()
	tests := []struct {
		base   string
		client *http.Client
	}{
		{srv.URL, srv.Client()},
		{srv.URL + "/proxy/a", srv.Client()},
		{mounted.URL + "/mounted/here", mounted.Client()},
		{secure.URL, secure.Client()},
		{secure.URL + "/x", secure.Client()},
	}
	for _, test := range tests {
		plain := &simulator.Server{Simulator: srv.Simulator, URL: test.base, Key: srv.Key}
		get := func(url string) response {
			req := newRequest(t, plain, "GET", url, "")
			res, err := test.client.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			defer res.Body.Close()
			var b bytes.Buffer
			if _, err := b.ReadFrom(res.Body); err != nil {
				t.Fatal(err)
			}
			return response{res.StatusCode, res.Header, b.Bytes()}
		}
		url := get(pollPath(submit(t, srv, move))).decode(t).Video.URL
		if !strings.HasPrefix(url, test.base+"/files/") {
			t.Errorf("below %s, the result is at %s", test.base, url)
		}
		if a := get(url); a.status != http.StatusOK || !bytes.Equal(a.body, videoFile(t, "854x480")) {
			t.Errorf("below %s, the result has status %d with %d bytes", test.base, a.status, len(a.body))
		}
	}
}

// Each listed resolution and aspect ratio gets the matching video.
func TestVideos(t *testing.T) {
	srv := simulator.Start(t, simulator.WithTimeline(simulator.Complete(0, 0)), simulator.WithMaxBody(1<<10))
	wide, square, tall := [2]string{"854x480", "1280x720"}, [2]string{"480x480", "720x720"}, [2]string{"480x854", "720x1280"}
	shapes := map[any][2]string{nil: wide, "auto": wide, "16:9": wide, "1:1": square, "9:16": tall}
	size := func(resolution any) int { // the nearest of 480 and 720
		short := 0
		_, _ = fmt.Sscanf(fmt.Sprint(resolution), "%dp", &short)
		return map[bool]int{true: 1}[short > 600]
	}
	values := func(d *spec.Document, property string) []any {
		if schema := d.Request().Properties[property]; schema != nil {
			return append(schema.Value.Enum, nil)
		}
		return []any{nil}
	}
	n := 0
	for _, d := range spec.Models() {
		request := map[string]any{"model": d.Model, "prompt": "p", "video_url": "https://example.com/v.mp4", "image_url": "https://example.com/i.png"}
		for _, resolution := range values(d, "resolution") {
			for _, ratio := range values(d, "aspect_ratio") {
				for name, value := range map[string]any{"resolution": resolution, "aspect_ratio": ratio} {
					if delete(request, name); value != nil {
						request[name] = value
					}
				}
				body, _ := json.Marshal(request)
				want := shapes[ratio][size(resolution)]
				a := ask(t, srv, "GET", poll(t, srv, submit(t, srv, string(body))).Video.URL, "")
				if a.status != http.StatusOK || !bytes.Equal(a.body, videoFile(t, want)) {
					t.Errorf("%s: the result isn't the video %s", body, want)
				}
				if a.header.Get("Content-Type") != "video/mp4" || a.header.Get("Content-Length") != fmt.Sprint(len(a.body)) {
					t.Errorf("the result comes with %v", a.header)
				}
				jobs := srv.Ledger().Jobs
				if size := jobs[n].Size; size != want {
					t.Errorf("%s: the ledger says %s", body, size)
				}
				n++
			}
		}
	}
	if n < 40 {
		t.Errorf("only %d combinations", n)
	}
}

func TestDownload(t *testing.T) {
	srv := simulator.Start(t)
	id := submit(t, srv, move)
	srv.Advance(time.Minute)
	url := poll(t, srv, id).Video.URL
	whole := videoFile(t, "854x480")
	size := len(whole)
	etag := ask(t, srv, "HEAD", url, "").header.Get("ETag")
	tests := []struct {
		name, method string
		headers      []string
		status       int
		from, to     int // of the bytes that come
		contentRange string
	}{
		{"whole", "GET", nil, 200, 0, size, ""},
		{"HEAD", "HEAD", nil, 200, 0, 0, ""},
		{"first", "GET", []string{"Range: bytes=0-9"}, 206, 0, 10, fmt.Sprintf("bytes 0-9/%d", size)},
		{"rest", "GET", []string{"Range: bytes=1000-"}, 206, 1000, size, fmt.Sprintf("bytes 1000-%d/%d", size-1, size)},
		{"last", "GET", []string{"Range: bytes=-10"}, 206, size - 10, size, fmt.Sprintf("bytes %d-%d/%d", size-10, size-1, size)},
		{"beyond", "GET", []string{"Range: bytes=9999999-"}, 416, 0, 0, fmt.Sprintf("bytes */%d", size)},
		{"same", "GET", []string{"Range: bytes=1000-", "If-Range: " + etag}, 206, 1000, size, fmt.Sprintf("bytes 1000-%d/%d", size-1, size)},
		{"other", "GET", []string{"Range: bytes=1000-", `If-Range: "other"`}, 200, 0, size, ""},
		{"unchanged", "GET", []string{"If-None-Match: " + etag}, 304, 0, 0, ""},
	}
	if len(etag) < 4 || !strings.HasPrefix(etag, `"`) {
		t.Errorf("ETag: %s", etag)
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			a := ask(t, srv, test.method, url, "", test.headers...)
			if a.status != test.status || a.header.Get("Content-Range") != test.contentRange {
				t.Errorf("%d with Content-Range %q, want %d with %q", a.status, a.header.Get("Content-Range"), test.status, test.contentRange)
			}
			if a.status < 300 && !bytes.Equal(a.body, whole[test.from:test.to]) {
				t.Errorf("%d bytes came, want those from %d to %d", len(a.body), test.from, test.to)
			}
			if a.status == http.StatusPartialContent && a.header.Get("Content-Length") != fmt.Sprint(test.to-test.from) {
				t.Errorf("the Content-Length is %s", a.header.Get("Content-Length"))
			}
		})
	}
}

// A result exists only while its job is completed.
func TestDownloadEarly(t *testing.T) {
	srv := simulator.Start(t, simulator.WithTimeline(simulator.Timeline{{Status: "completed", For: time.Minute}, {Status: "generating"}}))
	url := poll(t, srv, submit(t, srv, move)).Video.URL
	if a := ask(t, srv, "GET", url, ""); a.status != http.StatusOK {
		t.Errorf("while the job is completed: %d", a.status)
	}
	srv.Advance(time.Minute)
	if a := ask(t, srv, "GET", url, ""); a.status != http.StatusNotFound {
		t.Errorf("while the job isn't completed: %d", a.status)
	}
}
