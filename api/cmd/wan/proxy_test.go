package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aimlvideo/wan-go/conformance"
)

// proxy runs wan proxy until the test calls stop, which returns the exit code and what was printed after the first line.
func proxy(t *testing.T, args ...string) (first string, stop func() (code int, stdout, stderr string)) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	r, w := io.Pipe()
	stderr := new(buffer)
	done := make(chan int, 1)
	go func() {
		code := run(ctx, append([]string{"proxy"}, args...), strings.NewReader(""), w, stderr)
		w.Close()
		done <- code
	}()
	lines := bufio.NewReader(r)
	first, err := lines.ReadString('\n')
	if err != nil {
		t.Fatalf("%v; stderr:\n%s", err, stderr)
	}
	rest := make(chan string, 1)
	go func() {
		text, _ := io.ReadAll(lines)
		rest <- string(text)
	}()
	return first, func() (int, string, string) {
		cancel()
		return <-done, <-rest, stderr.String()
	}
}

func post(t *testing.T, url, key, body string) int {
	t.Helper()
	request, err := http.NewRequest(http.MethodPost, url+"/v2/video/generations", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header = http.Header{"Content-Type": {"application/json"}, "Authorization": {"Bearer " + key}}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		t.Fatal(err)
	}
	return response.StatusCode
}

const wrongShift = `{"model":"alibaba/wan2.2-14b-animate-move","video_url":"https://a/v","image_url":"https://a/i","shift":"\u001b[31m5"}`

// Traffic that conforms to the specs has no findings, and the video passes unchanged.
func TestProxy(t *testing.T) {
	s := newServer(t)
	line, stop := proxy(t, "--upstream", s.URL+"/v2")
	url := strings.TrimSpace(strings.TrimPrefix(line, "listening on "))
	file := filepath.Join(t.TempDir(), "out.mp4")
	runWan(t, t.Context(), new(buffer), move("--base-url", url, "--image-url", hero, "-o", file)...).check(t, exitDone, file+"\n")
	sizeOnScreen(t, file)
	if code, stdout, stderr := stop(); code != exitDone || stdout+stderr != "" {
		t.Errorf("exit code %d\n%s%s", code, stdout, stderr)
	}
	if conn, err := net.Dial("tcp", strings.TrimPrefix(url, "http://")); err == nil {
		conn.Close()
		t.Error("it still listens")
	}
}

func TestProxyFindings(t *testing.T) {
	const finding = `violation: submitGeneration request: /shift: expected a number, received a string of 6 characters` + "\n"
	t.Run("as lines", func(t *testing.T) {
		s := newServer(t)
		line, stop := proxy(t, "--upstream", s.URL)
		if status := post(t, strings.TrimSpace(strings.TrimPrefix(line, "listening on ")), s.Key, wrongShift); status != 400 {
			t.Errorf("status %d", status)
		}
		if code, stdout, stderr := stop(); code != exitTrouble || stdout != "" || stderr != finding+"wan: violations: 1\n" {
			t.Errorf("exit code %d\n%s%s", code, stdout, stderr)
		}
		if n := len(s.Ledger().Requests); n != 1 {
			t.Errorf("%d requests were passed on", n)
		}
	})
	t.Run("strict", func(t *testing.T) {
		s := newServer(t)
		line, stop := proxy(t, "--upstream", s.URL, "--strict")
		if status := post(t, strings.TrimSpace(strings.TrimPrefix(line, "listening on ")), s.Key, wrongShift); status != 400 {
			t.Errorf("status %d", status)
		}
		if code, _, stderr := stop(); code != exitTrouble || !strings.HasPrefix(stderr, finding) {
			t.Errorf("exit code %d\n%s", code, stderr)
		}
		s.nothingSent(t)
	})
	t.Run("as JSON", func(t *testing.T) {
		s := newServer(t)
		line, stop := proxy(t, "--upstream", s.URL, "--json")
		var listening struct {
			On string `json:"listening_on"`
		}
		if err := json.Unmarshal([]byte(line), &listening); err != nil {
			t.Fatalf("%v in %q", err, line)
		}
		post(t, listening.On, s.Key, wrongShift)
		code, stdout, _ := stop()
		var f conformance.Finding
		if err := json.Unmarshal([]byte(stdout), &f); err != nil || code != exitTrouble || f.Pointer != "/shift" || f.Rule != "type" || f.Grade != conformance.Violation {
			t.Errorf("exit code %d, %v, %s", code, err, stdout)
		}
	})
	t.Run("undocumented is no violation", func(t *testing.T) {
		s := newServer(t)
		line, stop := proxy(t, "--upstream", s.URL)
		body := strings.Replace(wrongShift, `"shift"`, `"mood\n"`, 1)
		if status := post(t, strings.TrimSpace(strings.TrimPrefix(line, "listening on ")), s.Key, body); status != 200 {
			t.Errorf("status %d", status)
		}
		want := "undocumented: submitGeneration request: /<5-characters>: expected a documented property, received a string\n"
		if code, _, stderr := stop(); code != exitDone || stderr != want {
			t.Errorf("exit code %d\n%s", code, stderr)
		}
	})
}

func TestProxyWrongInput(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := free.Addr().String()
	free.Close()
	for _, test := range []struct {
		args []string
		want string
	}{
		{[]string{"--upstream", "http://" + address, "--addr", address}, "--upstream is the proxy itself"},
		{nil, "--upstream is required"},
		{[]string{"--upstream", "example.com"}, "--upstream: not an http or https URL"},
		{[]string{"--upstream", "http://example.com"}, "--upstream: plain http"},
		{[]string{"--upstream", "https://example.com", "--addr", taken.Addr().String()}, "in use"},
		{[]string{"--upstream", "https://example.com", "--addr", ""}, "--addr is empty"},
		{[]string{"--upstream", "https://example.com", "x"}, fmt.Sprintf("unknown command %q", "x")},
	} {
		runWan(t, t.Context(), new(buffer), append([]string{"proxy"}, test.args...)...).check(t, exitInput, "", test.want)
	}
}
