package api_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/aimlvideo/wan-go/api"
	"github.com/aimlvideo/wan-go/conformance/simulator"
)

func TestNewErrors(t *testing.T) {
	tests := []struct {
		name     string
		opts     []api.Option
		property string
		text     string
	}{
		{"no key", nil, "API key", "set AIML_API_KEY or use WithAPIKey"},
		{"blank key", []api.Option{api.WithAPIKey(" \n")}, "API key", "not set"},
		{"line break in the key", []api.Option{api.WithAPIKey("secret\nkey")}, "API key", "copy it again"},
		{"space in the key", []api.Option{api.WithAPIKey("secret key")}, "API key", "copy it again"},
		{"letters outside ASCII", []api.Option{api.WithAPIKey("sécret")}, "API key", "copy it again"},
		{"no URL", []api.Option{api.WithAPIKey("k"), api.WithBaseURL("api.example.com")}, "base URL", "not an http or https URL"},
		{"rubbish", []api.Option{api.WithAPIKey("k"), api.WithBaseURL("http://[::1")}, "base URL", "not an http or https URL"},
		{"other scheme", []api.Option{api.WithAPIKey("k"), api.WithBaseURL("ftp://example.com")}, "base URL", "not an http or https URL"},
		{"query", []api.Option{api.WithAPIKey("k"), api.WithBaseURL("https://example.com?key=secret")}, "base URL", "query"},
		{"user", []api.Option{api.WithAPIKey("k"), api.WithBaseURL("https://me:secret@example.com")}, "base URL", "user"},
		{"plain http", []api.Option{api.WithAPIKey("k"), api.WithBaseURL("http://example.com")}, "base URL", "use https or WithInsecureHTTP"},
		{"nil option", []api.Option{api.WithAPIKey("k"), nil}, "option", "nil"},
		{"media limit", []api.Option{api.WithAPIKey("k"), api.WithMaxMedia(-5)}, "media limit", "negative"},
		{"retry window", []api.Option{api.WithAPIKey("k"), api.WithRetryWindow(-5)}, "retry window", "negative"},
		{"nil HTTP client", []api.Option{api.WithAPIKey("k"), api.WithHTTPClient(nil)}, "HTTP client", "nil"},
		{"nil logger", []api.Option{api.WithAPIKey("k"), api.WithLogger(nil)}, "logger", "nil"},
		{"quoted key", []api.Option{api.WithAPIKey(`"secret"`)}, "API key", "quotes"},
		{"interval", []api.Option{api.WithAPIKey("k"), api.WithPollInterval(2, 1)}, "poll interval", "isn't an interval"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Setenv("AIML_API_KEY", "")
			t.Setenv("AIMLAPI_API_KEY", "")
			_, err := api.New(test.opts...)
			input := (*api.InputError)(nil)
			if !errors.As(err, &input) || input.Property != test.property || !strings.Contains(err.Error(), test.text) {
				t.Errorf("got %v", err)
			}
			if strings.Contains(fmt.Sprint(err), "ecret") {
				t.Errorf("it shows the secret: %v", err)
			}
		})
	}
	if _, err := api.New(api.WithAPIKey("")); !errors.Is(err, api.ErrNoAPIKey) {
		t.Errorf("%v isn't ErrNoAPIKey", err)
	}
}

// The key and the base URL are taken from where the vendor's own client takes them.
func TestEnvironment(t *testing.T) {
	tests := []struct{ name, key1, key2, base1, base2, wantKey, wantPath string }{
		{"first", "one", "two", "/a", "/b", "one", "/a"},
		{"second", "", "two", "", "/b", "two", "/b"},
		{"white space", " one\n", "", "/a ", "", "one", "/a"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var gotKey, gotPath string
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				gotKey, gotPath = r.Header.Get("Authorization"), r.URL.Path
			}))
			defer srv.Close()
			set := func(name, value string) {
				if strings.HasPrefix(value, "/") {
					value = srv.URL + value
				}
				t.Setenv(name, value)
			}
			set("AIML_API_KEY", test.key1)
			set("AIMLAPI_API_KEY", test.key2)
			set("AIML_API_BASE", test.base1)
			set("AIMLAPI_API_BASE", test.base2)
			client, err := api.New()
			if err != nil {
				t.Fatal(err)
			}
			if _, err := client.Job("x").Poll(t.Context()); !errors.Is(err, api.ErrBadResponse) {
				t.Errorf("an empty answer gives %v", err)
			}
			if gotKey != "Bearer "+test.wantKey || gotPath != test.wantPath+"/v2/video/generations" {
				t.Errorf("got %q at %q", gotKey, gotPath)
			}
		})
	}
}

// All that people hand over as a base URL leads to the same place.
func TestBaseURL(t *testing.T) {
	srv := simulator.Start(t)
	for _, tail := range []string{"", "/", "/v1", "/v2", "/v2/", "/proxy/aiml", "/proxy/aiml/", "/proxy/aiml/v1", "/v1/proxy"} {
		t.Run("tail "+tail, func(t *testing.T) {
			client := newClient(t, srv, api.WithBaseURL(srv.URL+tail))
			job, err := client.AnimateMove(t.Context(), move)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := job.Poll(t.Context()); err != nil {
				t.Error(err)
			}
			requests := srv.Ledger().Requests
			want := strings.TrimSuffix(strings.TrimSuffix(strings.TrimRight(tail, "/"), "/v1"), "/v2") + "/v2/video/generations"
			for _, r := range requests[len(requests)-2:] {
				if r.Path != want {
					t.Errorf("%s %s, want %s", r.Method, r.Path, want)
				}
			}
		})
	}
	for _, base := range []string{"http://localhost:1", "http://127.9.9.9", "http://[::1]:80", "https://example.com"} {
		if _, err := api.New(api.WithAPIKey("k"), api.WithBaseURL(base)); err != nil {
			t.Error(err)
		}
	}
	if _, err := api.New(api.WithAPIKey("k"), api.WithBaseURL("http://example.com"), api.WithInsecureHTTP()); err != nil {
		t.Error(err)
	}
}

// The key stays with the host that it was meant for.
func TestRedirects(t *testing.T) {
	var leaked bool
	elsewhere := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		leaked = true
	}))
	defer elsewhere.Close()
	srv := simulator.Start(t)
	client := newClient(t, srv)
	job, err := client.AnimateMove(t.Context(), move)
	if err != nil {
		t.Fatal(err)
	}

	for _, code := range []int{301, 302, 303, 307, 308} {
		srv.Inject(simulator.Fault{Times: 2, Effect: simulator.Redirect(code, elsewhere.URL+"/v2/video/generations")})
		_, err := client.AnimateMove(t.Context(), move)
		response := (*api.ResponseError)(nil)
		if outcome(err) != "unknown" || !errors.As(err, &response) || response.StatusCode != code || !strings.Contains(err.Error(), elsewhere.URL) {
			t.Errorf("%d: %v", code, err)
		}
		if _, err := job.Poll(t.Context()); !errors.As(err, &response) {
			t.Errorf("%d: %v", code, err)
		}
	}
	if leaked {
		t.Error("a request went to the other host")
	}

	// Within the host, polls are redirected, but submissions aren't: what has been sent isn't sent again.
	srv.Inject(simulator.Fault{Times: 2, Effect: simulator.Redirect(308, "/moved/v2/video/generations?generation_id="+url.QueryEscape(job.ID()))})
	if _, err := client.AnimateMove(t.Context(), move); outcome(err) != "unknown" {
		t.Error(err)
	}
	if _, err := job.Poll(t.Context()); err != nil {
		t.Error(err)
	}
	if created := srv.Ledger().Created; created != 1 {
		t.Errorf("%d jobs, want 1", created)
	}
}
