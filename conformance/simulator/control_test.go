package simulator_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/aimlvideo/wan-go/conformance/simulator"
	"github.com/aimlvideo/wan-go/spec"
)

// control sends a control request without a key, which must have the status code. The request, if it is accepted, and the
// response must conform to the served spec.
func control(t testing.TB, srv *simulator.Server, method, path, body string, status int) response {
	t.Helper()
	a := ask(t, srv, method, path, body, "Authorization:")
	if a.status != status {
		t.Fatalf("%s %s %s has status %d: %s", method, path, body, a.status, a.body)
	}
	document, err := openapi3.NewLoader().LoadFromData(ask(t, srv, "GET", "/simulator/openapi.json", "").body)
	if err != nil {
		t.Fatal(err)
	}
	bare, _, _ := strings.Cut(path, "?")
	operation := document.Paths.Value(bare).GetOperation(method)
	conforms := func(what string, content openapi3.Content, text []byte) (*openapi3.Schema, any) {
		t.Helper()
		var value any
		if err := json.Unmarshal(text, &value); err != nil {
			t.Errorf("the %s of %s %s: %v", what, method, path, err)
		}
		schema := content["application/json"].Schema.Value
		if err := schema.VisitJSON(value, openapi3.MultiErrors(), openapi3.EnableFormatValidation()); err != nil {
			t.Errorf("the %s of %s %s: %v", what, method, path, err)
		}
		return schema, value
	}
	if status < 400 && (body != "") != (operation.RequestBody != nil) {
		t.Errorf("%s %s has a body in the test only, or in the spec only", method, path)
	} else if status < 400 && body != "" {
		conforms("body", operation.RequestBody.Value.Content, []byte(body))
	}
	schema, value := conforms("response", operation.Responses.Status(a.status).Value.Content, a.body)
	for _, name := range undocumented(schema, value) {
		t.Errorf("the response to %s %s has the member %s, which isn't in the spec", method, path, name)
	}
	return a
}

// undocumented returns the members that a schema with properties doesn't list.
func undocumented(schema *openapi3.Schema, value any) (names []string) {
	switch v := value.(type) {
	case []any:
		for _, element := range v {
			names = append(names, undocumented(schema.Items.Value, element)...)
		}
	case map[string]any:
		for name, member := range v {
			if property := schema.Properties[name]; property != nil {
				names = append(names, undocumented(property.Value, member)...)
			} else if schema.Properties != nil {
				names = append(names, name)
			}
		}
	}
	return names
}

type jobsPage struct {
	Total, Offset int
	Jobs          []simulator.Job
}

// Everything that Go tests do, over HTTP.
func TestControl(t *testing.T) {
	srv := simulator.Start(t, simulator.WithRetention(24*time.Hour))
	control(t, srv, "POST", "/simulator/timelines", `{"next": ["queued 10s, error NSFW \"Refused, sorry\"", [{"status":"dreaming","for":"1h"},{"status":"completed","omit":["video"]}]],
		"models": {"vace-fun-pose": "active"}, "default": "queued 1m, completed"}`, 200)
	fails, dreams := submit(t, srv, move, "X-Client-Request-Id: fails"), submit(t, srv, move)
	active, slow := submit(t, srv, pose), submit(t, srv, move)
	own := submit(t, srv, move, `X-Simulator-Timeline: generating 2s, error Own "M"`)
	control(t, srv, "POST", "/simulator/clock", `{"advance":"30s"}`, 200)
	for id, want := range map[string]string{fails: "error", dreams: "dreaming", active: "active", slow: "queued", own: "error"} {
		if g := poll(t, srv, id); g.Status != want {
			t.Errorf("%s is %q, want %q", id, g.Status, want)
		}
	}
	if a := ask(t, srv, "GET", pollPath(fails), ""); !strings.Contains(string(a.body), `"message": "Refused, sorry"`) {
		t.Errorf("%s", a.body)
	}
	control(t, srv, "POST", "/simulator/clock", `{"advance":"1h"}`, 200)
	if a := ask(t, srv, "GET", pollPath(dreams), ""); !strings.Contains(string(a.body), "completed") || strings.Contains(string(a.body), "video\"") {
		t.Errorf("%s", a.body)
	}

	control(t, srv, "POST", "/simulator/faults", `{"faults": ["poll=503*1", {"on":"poll","status":418,"header":{"X-Y":"z"},"body":"tea","times":1}, {"on":"submit","effect":"drop","after":5}]}`, 200)
	for _, want := range []int{503, 418, 200} {
		if a := ask(t, srv, "GET", pollPath(slow), ""); a.status != want || want == 418 && (string(a.body) != "tea" || a.header.Get("X-Y") != "z") {
			t.Errorf("status %d, want %d: %s", a.status, want, a.body)
		}
	}
	if a := control(t, srv, "GET", "/simulator/faults", "", 200); !strings.Contains(string(a.body), `"drop"`) || strings.Contains(string(a.body), "418") {
		t.Errorf("%s", a.body)
	}
	control(t, srv, "DELETE", "/simulator/faults", "", 200)

	var page jobsPage
	if err := json.Unmarshal(control(t, srv, "GET", "/simulator/jobs?client_request_id=fails", "", 200).body, &page); err != nil || page.Total != 1 || page.Jobs[0].ID != fails {
		t.Errorf("%+v %v", page, err)
	}
	if err := json.Unmarshal(control(t, srv, "GET", "/simulator/jobs?limit=2&offset=1", "", 200).body, &page); err != nil || page.Total != 5 || len(page.Jobs) != 2 || page.Jobs[0].ID != slow {
		t.Errorf("%+v %v", page, err)
	}
	if a := control(t, srv, "GET", "/simulator/requests?client_request_id=fails", "", 200); !strings.Contains(string(a.body), `"total": 1`) {
		t.Errorf("%s", a.body)
	}

	control(t, srv, "PUT", "/simulator/prices", `{"vace-fun-reframe": {"kind":"fixed","units":[{"name":"Video","measure":"generation","price":2,"per":1}]}}`, 200)
	control(t, srv, "PUT", "/simulator/balance", `{"usd": 1}`, 200)
	if a := ask(t, srv, "POST", generations, reframe); a.status != 403 {
		t.Errorf("a submission that the balance doesn't cover has status %d", a.status)
	}
	control(t, srv, "PUT", "/simulator/balance", `{"usd": 5}`, 200)
	submit(t, srv, reframe)

	ask(t, srv, "POST", generations, "{}")
	control(t, srv, "GET", "/simulator/state?status=completed&text=example&limit=1", "", 200)
	control(t, srv, "POST", "/simulator/reset", "", 200)
	if l := srv.Ledger(); l.Created != 0 || l.Balance != 1e6 || len(l.Requests) != 0 {
		t.Errorf("after the reset: %+v", l)
	}
	id := submit(t, srv, move)
	srv.Advance(time.Minute)
	if g := poll(t, srv, id); g.Status != "completed" {
		t.Errorf("after the reset, a job is %q", g.Status)
	}
}

func TestControlErrors(t *testing.T) {
	srv := simulator.Start(t)
	for _, test := range []struct{ method, path, body string }{
		{"POST", "/simulator/timelines", `{"next": ["queued fast"]}`},
		{"POST", "/simulator/timelines", `{"next": [[]]}`},
		{"POST", "/simulator/timelines", `{"models": {"sora": "queued"}}`},
		{"POST", "/simulator/timelines", `{"later": []}`},
		{"POST", "/simulator/timelines", ``},
		{"POST", "/simulator/faults", `{"faults": ["poll=explode"]}`},
		{"POST", "/simulator/faults", `{"faults": [{"on":"poll","status":42}]}`},
		{"POST", "/simulator/faults", `{"faults": [{"on":"nothing","effect":"drop"}]}`},
		{"POST", "/simulator/clock", `{"advance": "-1s"}`},
		{"POST", "/simulator/clock", `{"advance": 5}`},
		{"PUT", "/simulator/balance", `{"usd": -5}`},
		{"PUT", "/simulator/balance", `{}`},
		{"PUT", "/simulator/prices", `{"animate-move": {"kind": "free"}}`},
		{"GET", "/simulator/jobs?limit=-1", ""},
		{"GET", "/simulator/jobs?slug=x", ""},
		{"POST", "/simulator/clock?advance=5s", `{"advance": "5s"}`},
	} {
		check(t, control(t, srv, test.method, test.path, test.body, 400))
	}
	for path, want := range map[string]string{"/simulator/balance": "PUT", "/simulator/faults": "DELETE, GET, POST"} {
		if a := ask(t, srv, "PATCH", path, "{}"); a.status != 405 || a.header.Get("Allow") != want {
			t.Errorf("PATCH %s has status %d and Allow %q, want %q", path, a.status, a.header.Get("Allow"), want)
		}
	}
	for _, timeline := range []string{"queued fast", "[]", `[{"status":1}]`, `[{"status":"queued","for":"-1s"}]`, `[{"status":"queued","later":1}]`, "[{"} {
		if a := ask(t, srv, "POST", generations, move, "X-Simulator-Timeline: "+timeline); a.status != 400 {
			t.Errorf("the timeline %s has status %d", timeline, a.status)
		}
	}
	if l := srv.Ledger(); l.Created != 0 {
		t.Errorf("%d jobs were created", l.Created)
	}
}

// Without the option, only loopback hosts and origins control the simulator, and only on a loopback address.
func TestControlAccess(t *testing.T) {
	loopback := &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 8080}
	other := &net.TCPAddr{IP: net.IPv4(10, 0, 0, 1), Port: 8080}
	for _, test := range []struct {
		addr         net.Addr
		host, origin string
		want         int
	}{
		{loopback, "127.0.0.1:8080", "", 200},
		{loopback, "localhost:8080", "http://localhost:3000", 200},
		{loopback, "[::1]:8080", "", 200},
		{loopback, "evil.example:8080", "", 403},
		{loopback, "127.0.0.1:8080", "https://evil.example", 403},
		{loopback, "127.0.0.1:8080", "null", 403},
		{other, "127.0.0.1:8080", "", 403},
		{other, "10.0.0.1:8080", "", 403},
	} {
		for _, allowed := range []bool{false, true} {
			var opts []simulator.Option
			if allowed {
				opts = append(opts, simulator.WithControl())
			}
			r := httptest.NewRequest(http.MethodPost, "/simulator/reset", nil)
			r = r.WithContext(context.WithValue(r.Context(), http.LocalAddrContextKey, test.addr))
			if r.Host = test.host; test.origin != "" {
				r.Header.Set("Origin", test.origin)
			}
			w := httptest.NewRecorder()
			simulator.New(opts...).ServeHTTP(w, r)
			if want := map[bool]int{false: test.want, true: 200}[allowed]; w.Code != want {
				t.Errorf("%+v, allowed %t: status %d", test, allowed, w.Code)
			}
			r.Method, r.URL.Path, w = "GET", "/simulator/state", httptest.NewRecorder()
			simulator.New().ServeHTTP(w, r)
			if w.Code != test.want {
				t.Errorf("state: %+v: status %d", test, w.Code)
			}
		}
	}
}

// The served specs are valid OpenAPI, and the merged one accepts and rejects what the specs of the models do.
func TestServedSpecs(t *testing.T) {
	srv := simulator.Start(t)
	for _, path := range []string{"/openapi.json", "/simulator/openapi.json"} {
		document, err := openapi3.NewLoader().LoadFromData(ask(t, srv, "GET", path, "", "Authorization:").body)
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		if err := document.Validate(t.Context()); err != nil {
			t.Errorf("%s: %v", path, err)
		}
		if len(document.Servers) != 1 || document.Servers[0].URL != srv.URL {
			t.Errorf("%s: servers %+v", path, document.Servers)
		}
		if path == "/simulator/openapi.json" {
			text := fmt.Sprint(document.Components.Schemas["Fault"].Value.OneOf[1].Value.Properties["effect"].Value.Description)
			for line := range strings.Lines(simulator.EffectHelp()) {
				if name := strings.Fields(line)[0]; !strings.HasSuffix(name, ",") && !strings.Contains(text, name) {
					t.Errorf("the spec doesn't name the effect %s", name)
				}
			}
			continue
		}
		schema := document.Paths.Value(generations).Post.RequestBody.Value.Content["application/json"].Schema.Value
		if len(schema.OneOf) != len(spec.Models()) || len(schema.Discriminator.Mapping) != len(spec.Models()) || document.Paths.Value(generations).Get == nil {
			t.Errorf("%+v", schema)
		}
		for body, valid := range map[string]bool{move: true, pose: true, reframe: true, strings.Replace(move, "image_url", "x", 1): false} {
			var value any
			if err := json.Unmarshal([]byte(body), &value); err != nil {
				t.Fatal(err)
			}
			if err := schema.VisitJSON(value); (err == nil) != valid {
				t.Errorf("%s: %v", body, err)
			}
		}
	}
	for _, d := range spec.Models() {
		text, err := spec.Files.ReadFile(d.Slug + ".yaml")
		if a := ask(t, srv, "GET", "/openapi/"+d.Slug+".yaml", ""); err != nil || !bytes.Equal(a.body, text) {
			t.Errorf("%s: status %d, %v", d.Slug, a.status, err)
		}
	}
	for _, model := range get[catalogue](t, srv, "/v1/models").Data {
		document, err := openapi3.NewLoader().LoadFromData(ask(t, srv, "GET", model.Info.DocsJSON, "", "Authorization:").body)
		if err != nil {
			t.Fatalf("%s: %v", model.ID, err)
		}
		operation := document.Paths.Value(generations).Post
		if err := document.Validate(t.Context()); err != nil || operation.RequestBody.Value.Content["application/json"].Schema.Value.Properties["model"].Value.Enum[0] != model.ID {
			t.Errorf("%s: %v", model.Info.DocsJSON, err)
		}
	}
	if a := ask(t, srv, "GET", "/docs-json?model=sora", ""); a.status != 404 {
		t.Errorf("the docs of an unknown model have status %d", a.status)
	}
	if a := ask(t, srv, "GET", "/openapi/..%2fspec.go", ""); a.status != 404 {
		t.Errorf("status %d", a.status)
	}
	if a := ask(t, srv, "GET", "/healthz", "", "Authorization:"); a.status != 200 {
		t.Errorf("healthz has status %d", a.status)
	}
}

func TestCORS(t *testing.T) {
	srv := simulator.Start(t, simulator.WithTimeline(simulator.Complete(0, 0)))
	for _, path := range []string{generations, "/v2/logs", "/files/x/0.mp4", "/openapi.json", "/simulator/jobs", "/healthz"} {
		a := ask(t, srv, "OPTIONS", path, "", "Authorization:", "Origin: https://app.example", "Access-Control-Request-Method: POST",
			"Access-Control-Request-Headers: authorization, content-type")
		if a.status != 204 || a.header.Get("Access-Control-Allow-Origin") != "*" || a.header.Get("Access-Control-Allow-Headers") != "authorization, content-type" ||
			!strings.Contains(a.header.Get("Access-Control-Allow-Methods"), "POST") {
			t.Errorf("OPTIONS %s: %d %v", path, a.status, a.header)
		}
	}
	a := ask(t, srv, "POST", generations, move, "Origin: https://app.example")
	if a.header.Get("Access-Control-Allow-Origin") != "*" || !strings.Contains(a.header.Get("Access-Control-Expose-Headers"), "X-Inference-Id") {
		t.Errorf("%v", a.header)
	}
	if l := srv.Ledger(); len(l.Requests) != 1 {
		t.Errorf("%d requests in the ledger", len(l.Requests))
	}
}

func TestParseTimeline(t *testing.T) {
	for text, want := range map[string]string{
		"completed": "[{completed 0s map[] []}]",
		" queued 1s,generating 1m30s , completed ": "[{queued 1s map[] []} {generating 1m30s map[] []} {completed 0s map[] []}]",
		`error NSFW "a, \"b\""`:                    `[{error 0s map[error:map[message:a, "b" name:NSFW]] []}]`,
		"error 5s NSFW":                            "[{error 5s map[error:map[message:The generation failed name:NSFW]] []}]",
	} {
		if got, err := simulator.ParseTimeline(text); err != nil || fmt.Sprint(got) != want {
			t.Errorf("%s: %v %v, want %s", text, got, err, want)
		}
	}
	for _, text := range []string{"", ",", "queued,", "queued 1", "queued -1s", "queued 1s 2s", "error NSFW refused", `error NSFW "refused`} {
		if got, err := simulator.ParseTimeline(text); err == nil {
			t.Errorf("%q: %v", text, got)
		}
	}
}

// Latency and delays take their time, on the bubble's clock.
func TestLatency(t *testing.T) {
	inBubble(t, func(t *testing.T, srv *simulator.Server) {
		began := time.Now()
		id := submit(t, srv, move)
		if took := time.Since(began); took < 50*time.Millisecond || took > 2*time.Second {
			t.Errorf("a submission took %v", took)
		}
		srv.Inject(simulator.Fault{On: simulator.Poll, Effect: simulator.Delay(time.Minute)})
		began = time.Now()
		poll(t, srv, id)
		if took := time.Since(began); took < time.Minute+50*time.Millisecond || took > time.Minute+2*time.Second {
			t.Errorf("a delayed poll took %v", took)
		}
	}, simulator.WithLatency(50*time.Millisecond, 2*time.Second))
}

// A result is served at its own name only.
func TestFileNames(t *testing.T) {
	srv := simulator.Start(t, simulator.WithTimeline(simulator.Complete(0, 0)))
	url := poll(t, srv, submit(t, srv, move)).Video.URL
	for _, suffix := range []string{"0anything", "0", "00.mp4", "0.mp3", "1.mp4", "0.mp4.mp4", "-1.mp4", "+0.mp4", "0.mp4/x"} {
		if a := ask(t, srv, "GET", strings.TrimSuffix(url, "0.mp4")+suffix, ""); a.status != 404 {
			t.Errorf("%s has status %d", suffix, a.status)
		}
	}
}
