package main

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/aimlvideo/wan-go/conformance/simulator"
	"github.com/aimlvideo/wan-go/spec"
)

func TestJSON(t *testing.T) {
	s := newServer(t)
	file := filepath.Join(t.TempDir(), "out.mp4")
	saved := s.wan(t, move("--json", "-o", file)...)
	job := s.job(t)
	const usage = `"credits":420000,"usd":0.21`
	result := `{"id":"` + job.ID + `","outcome":"done","status":"completed","url":"` + s.URL + job.Result + `",`
	saved.check(t, exitDone, result+`"file":"`+file+`",`+usage+`,"client_request_id":"`+job.ClientRequestID+"\"}\n")
	s.wan(t, "wait", job.ID, "--json").check(t, exitDone, result+usage+"}\n")
	s.wan(t, "get", job.ID, "--json").check(t, exitDone, result+usage+"}\n")

	// What the API doesn't say is left out.
	s.Script(simulator.Timeline{{Status: "completed", Set: map[string]any{
		"meta": map[string]any{"usage": map[string]any{"credits_used": 0}}, "video": map[string]any{"url": "https://example.com/v.mp4"},
	}}})
	free := s.wan(t, move("--json")...)
	job = s.Ledger().Jobs[1]
	free.check(t, exitDone, `{"id":"`+job.ID+`","outcome":"done","status":"completed","url":"https://example.com/v.mp4",`+
		`"credits":0,"usd":0.21,"client_request_id":"`+job.ClientRequestID+"\"}\n")
}

func TestGet(t *testing.T) {
	s := newServer(t)
	s.Script(simulator.Complete(10*time.Minute, 10*time.Minute), failing("NSFW", "refused"),
		simulator.Timeline{{Status: "dreaming"}}, simulator.Timeline{{Status: "error", Omit: []string{"error"}}})
	for range 4 {
		s.wan(t, move("--no-wait")...)
	}
	var id []string
	for _, job := range s.Ledger().Jobs {
		id = append(id, job.ID)
	}
	get := func(n int, text, members string) {
		t.Helper()
		s.wan(t, "get", id[n]).check(t, exitDone, text+"\n")
		s.wan(t, "get", id[n], "--json").check(t, exitDone, `{"id":"`+id[n]+`",`+members+"}\n")
	}
	get(0, "queued", `"outcome":"running","status":"queued"`)
	s.Advance(10 * time.Minute)
	get(0, "generating", `"outcome":"running","status":"generating"`)
	get(1, "error: NSFW: refused", `"outcome":"failed","status":"error","error":{"name":"NSFW","message":"refused"}`)
	get(2, "dreaming", `"outcome":"running","status":"dreaming"`)
	get(3, "error", `"outcome":"failed","status":"error","error":{"message":""}`)
	s.Advance(10 * time.Minute)
	url := s.URL + s.Ledger().Jobs[0].Result
	get(0, "completed "+url, `"outcome":"done","status":"completed","url":"`+url+`","credits":420000,"usd":0.21`)
}

func TestWait(t *testing.T) {
	s := newServer(t, queued())
	s.wan(t, move("--no-wait")...)
	job := s.job(t)
	s.Advance(20 * time.Minute)
	url := s.URL + s.job(t).Result
	s.wan(t, "wait", job.ID).check(t, exitDone, url+"\n")
	for range 2 { // as often as one likes
		file := filepath.Join(t.TempDir(), "out.mp4")
		s.wan(t, "wait", job.ID, "--output", file, "--timeout", "1h").check(t, exitDone, file+"\n")
		sizeOnScreen(t, file)
	}
	s.wan(t, "wait", job.ID, "-o", t.TempDir()).check(t, exitInput, "", "--output: ")
}

// wan models needs no key and no server.
func TestModelsCommand(t *testing.T) {
	result := runWan(t, t.Context(), new(buffer), "models")
	if result.code != exitDone || result.stderr != "" {
		t.Fatalf("exit code %d, stderr %q", result.code, result.stderr)
	}
	sections := strings.Split(strings.TrimSuffix(result.stdout, "\n"), "\n\n")
	if len(sections) != len(spec.Models()) {
		t.Fatalf("%d models in\n%s", len(sections), result.stdout)
	}
	for i, document := range spec.Models() {
		if !strings.HasPrefix(sections[i], document.Slug+"  ("+document.Model+")\n  ") {
			t.Errorf("section %d is\n%s", i, sections[i])
		}
		for _, p := range document.Properties() {
			if p.Name != "model" && !strings.Contains(sections[i], "\n    "+p.Name+" ") {
				t.Errorf("%s: no %s", document.Slug, p.Name)
			}
		}
		one := runWan(t, t.Context(), new(buffer), "models", document.Slug)
		one.check(t, exitDone, sections[i]+"\n")
	}
	low, high := frameBounds(t, "vace-fun-pose")
	for _, want := range []string{
		fmt.Sprintf("    num_frames                    an integer from %d to %d (default ", low, high),
		"    image_list                    an array of at most ",
		"    prompt                        a string (required)\n",
	} {
		if !strings.Contains(result.stdout, want) {
			t.Errorf("no line %q", want)
		}
	}
}

func TestModelsJSON(t *testing.T) {
	result := runWan(t, t.Context(), new(buffer), "models", "--json")
	if result.code != exitDone || result.stderr != "" {
		t.Fatalf("exit code %d, stderr %q", result.code, result.stderr)
	}
	models := decode(t, []byte(result.stdout)).([]any)
	if len(models) != len(spec.Models()) {
		t.Fatalf("%d models", len(models))
	}
	for i, document := range spec.Models() {
		m := models[i].(map[string]any)
		if m["slug"] != document.Slug || m["model"] != document.Model || m["description"] != document.OpenAPI.Info.Description || len(m) != 4 {
			t.Errorf("model %d is %v", i, m)
		}
		parameters := m["parameters"].([]any)
		properties := document.Properties()
		if len(parameters) != len(properties) {
			t.Fatalf("%s: %d parameters, want %d", document.Slug, len(parameters), len(properties))
		}
		for j, p := range properties {
			encoded, err := json.Marshal(p.Schema)
			if err != nil {
				t.Fatal(err)
			}
			want := decode(t, encoded).(map[string]any)
			want["name"], want["required"] = p.Name, p.Required
			if !reflect.DeepEqual(parameters[j], want) {
				t.Errorf("%s: parameter\n%v\nwant\n%v", document.Slug, parameters[j], want)
			}
		}
	}
}
