package main

import (
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestSimulateConfig(t *testing.T) {
	t.Setenv("AIML_API_KEY", "any-key")
	path := filepath.Join(t.TempDir(), "simulator.yaml")
	config := `
timeline: 'queued 0s, error FromConfig "M"'
model-timeline: ['vace-fun-pose=dreaming']
balance: 2.5
fault: ['poll=503*1', 'models=404']
latency: 1ms..2ms
control: true
prices:
  animate-move: {kind: fixed, units: [{measure: generation, price: 1, per: 1}]}
`
	if err := os.WriteFile(path, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	url, stop := simulate(t, "--config", path, "--balance", "1.5")
	runWan(t, t.Context(), new(buffer), move("--base-url", url)...).check(t, exitFailed, "", "FromConfig")
	response, err := http.Get(url + "/simulator/state")
	if err != nil {
		t.Fatal(err)
	}
	body, _ := io.ReadAll(response.Body)
	response.Body.Close()
	if !strings.Contains(string(body), `"balance": 1.5`) || !strings.Contains(string(body), `"usd": 1,`) {
		t.Errorf("%s", body)
	}
	runWan(t, t.Context(), new(buffer), "simulate", "--probe", url).check(t, exitDone, "")
	if _, log := stop(); !strings.Contains(log, "export AIML_API_BASE="+url+" AIML_API_KEY=") {
		t.Errorf("%s", log)
	}
	runWan(t, t.Context(), new(buffer), "simulate", "--probe", url).check(t, exitTrouble, "", "refused")

	for _, bad := range []string{"unknown: 1", "fail: often", "balance: [1]", "config: x", "prices: {sora: {kind: variable}}", "timeline: 'queued fast'"} {
		if err := os.WriteFile(path, []byte(bad), 0o600); err != nil {
			t.Fatal(err)
		}
		runWan(t, t.Context(), new(buffer), "simulate", "--config", path).check(t, exitInput, "")
	}
}

// Each flag that a config file may set is in the schema.
func TestSimulateConfigSchema(t *testing.T) {
	var schema struct {
		Properties map[string]struct{ Type, Description string }
	}
	if err := json.Unmarshal([]byte(runWan(t, t.Context(), new(buffer), "simulate", "--config-schema").stdout), &schema); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"fault": "array", "balance": "number", "control": "boolean", "seed": "integer", "timeline": "string", "prices": "object"} {
		if p := schema.Properties[name]; p.Type != want || p.Description == "" {
			t.Errorf("%s: %+v", name, p)
		}
	}
	if _, ok := schema.Properties["config"]; ok {
		t.Error("a config file can't name another")
	}
}

// A simulator replays what a proxy has recorded.
func TestRecordReplay(t *testing.T) {
	t.Setenv("AIML_API_KEY", "any-key")
	dir := filepath.Join(t.TempDir(), "recorded")
	url, stop := simulate(t, "--timeline", `queued 0s, error Recorded "M"`)
	defer stop()
	first, stopProxy := proxy(t, "--upstream", url, "--record", dir)
	base := strings.TrimSpace(strings.TrimPrefix(first, "listening on "))
	runWan(t, t.Context(), new(buffer), move("--base-url", base)...).check(t, exitFailed, "", "Recorded")
	stopProxy()
	replayed, stopReplay := simulate(t, "--replay", dir)
	defer stopReplay()
	runWan(t, t.Context(), new(buffer), move("--base-url", replayed)...).check(t, exitFailed, "", "Recorded")
}
