package main

import (
	"bufio"
	"context"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aimlvideo/wan-go/conformance/simulator"
)

// simulate runs wan simulate until the test calls stop, which returns the exit code and what was printed to stderr.
func simulate(t *testing.T, args ...string) (url string, stop func() (int, string)) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	stdout, w := io.Pipe()
	stderr := new(buffer)
	done := make(chan int, 1)
	go func() {
		code := run(ctx, append([]string{"simulate", "--addr", "127.0.0.1:0"}, args...), strings.NewReader(""), w, stderr)
		w.Close()
		done <- code
	}()
	t.Cleanup(cancel)
	line, err := bufio.NewReader(stdout).ReadString('\n')
	url, ok := strings.CutPrefix(strings.TrimSpace(line), "listening on ")
	if err != nil || !ok {
		t.Fatalf("%q, %v; stderr:\n%s", line, err, stderr)
	}
	return url, func() (int, string) {
		cancel()
		return <-done, stderr.String()
	}
}

func TestSimulate(t *testing.T) {
	url, stop := simulate(t, "--queued", "0s", "--generating", "0s", "--key", "the-only-key")
	if !strings.HasPrefix(url, "http://127.0.0.1:") || strings.HasSuffix(url, ":0") {
		t.Fatalf("it listens on %q", url)
	}
	file := filepath.Join(t.TempDir(), "out.mp4")
	t.Setenv("AIML_API_KEY", "the-only-key")
	runWan(t, t.Context(), new(buffer), move("--base-url", url, "-o", file)...).check(t, exitDone, file+"\n")
	sizeOnScreen(t, file)
	t.Setenv("AIML_API_KEY", "another-key")
	runWan(t, t.Context(), new(buffer), move("--base-url", url)...).check(t, exitAccount, "")

	response, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != http.StatusOK {
		t.Errorf("the page's status is %s", response.Status)
	}

	code, log := stop()
	if code != exitDone {
		t.Errorf("exit code %d", code)
	}
	for _, want := range []string{" 200 submit ", " 200 poll ", " 401 submit "} {
		if !strings.Contains(log, want) {
			t.Errorf("no %q in the log:\n%s", want, log)
		}
	}
	if strings.Contains(log, "-key") {
		t.Errorf("the log shows a key:\n%s", log)
	}
	if conn, err := net.Dial("tcp", strings.TrimPrefix(url, "http://")); err == nil {
		conn.Close()
		t.Error("it still listens")
	}
}

// What is printed can be pasted, whatever the address.
func TestSimulateAddresses(t *testing.T) {
	const off, on = "network: other machines can reach it; they can't use", "network: other machines can reach it; they can use"
	for _, test := range []struct {
		args         []string
		url, network string
	}{
		{[]string{"--addr", "127.0.0.1:0"}, "http://127.0.0.1:", ""},
		{[]string{"--addr", "localhost:0", "--control"}, "http://127.0.0.1:", ""},
		{[]string{"--addr", "[::1]:0"}, "http://[::1]:", ""},
		{[]string{"--addr", "0.0.0.0:0"}, "http://127.0.0.1:", off},
		{[]string{"--addr", ":0", "--control"}, "http://127.0.0.1:", on},
		{[]string{"--addr", "[::]:0", "--key", "k"}, "http://127.0.0.1:", off},
		{append([]string{"--addr", "0.0.0.0:0"}, certificate(t)...), "https://127.0.0.1:", off},
	} {
		t.Run(strings.Join(test.args[:2], " "), func(t *testing.T) {
			if strings.Contains(test.args[1], "::") {
				if l, err := net.Listen("tcp", "[::1]:0"); err != nil {
					t.Skip("no IPv6")
				} else {
					l.Close()
				}
			}
			url, stop := simulate(t, test.args...)
			runWan(t, t.Context(), new(buffer), "simulate", "--probe", url).check(t, exitDone, "")
			_, printed := stop()
			if !strings.HasPrefix(url, test.url) || strings.HasSuffix(url, ":0") || !strings.Contains(printed, "AIML_API_BASE="+url+" ") {
				t.Errorf("it listens on %s and prints\n%s", url, printed)
			}
			if strings.Contains(printed, "network:") != (test.network != "") || !strings.Contains(printed, test.network) {
				t.Errorf("it prints\n%s\nwant %q", printed, test.network)
			}
		})
	}
}

// certificate returns flags for TLS with a certificate of its own.
func certificate(t *testing.T) []string {
	t.Helper()
	helper := httptest.NewUnstartedServer(nil)
	helper.StartTLS()
	defer helper.Close()
	key, err := x509.MarshalPKCS8PrivateKey(helper.TLS.Certificates[0].PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	var flags []string
	for name, block := range map[string]*pem.Block{
		"--tls-cert": {Type: "CERTIFICATE", Bytes: helper.Certificate().Raw},
		"--tls-key":  {Type: "PRIVATE KEY", Bytes: key},
	} {
		path := filepath.Join(t.TempDir(), "tls.pem")
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
		flags = append(flags, name, path)
	}
	return flags
}

func TestSimulateFlags(t *testing.T) {
	t.Setenv("AIML_API_KEY", "any-key")
	seen := map[string]bool{}
	for range 2 {
		url, stop := simulate(t, "--queued", "0s", "--generating", "0s", "--seed", "7", "--fail", "1", "--fault", "submit=403*1", "--max-body", "1000")
		runWan(t, t.Context(), new(buffer), move("--base-url", url)...).check(t, exitAccount, "")
		runWan(t, t.Context(), new(buffer), move("--base-url", url, "--image-url", hero)...).check(t, exitTrouble, "", "413")
		failed := runWan(t, t.Context(), new(buffer), move("--base-url", url)...)
		failed.check(t, exitFailed, "", "SimulatedFailure")
		seen[submitted(failed)] = true
		if code, _ := stop(); code != exitDone {
			t.Errorf("exit code %d", code)
		}
	}
	if len(seen) != 1 {
		t.Errorf("the same seed gives %v", seen)
	}
}

// submitted is the id of the job.
func submitted(o outcome) string {
	_, after, _ := strings.Cut(o.stderr, "\nsubmitted ")
	id, _, _ := strings.Cut(after, "\n")
	return id
}

// The defaults are those that the README and other people's scripts rely on.
func TestSimulateDefaults(t *testing.T) {
	flags := newSimulate(&console{}).Flags()
	for name, want := range map[string]string{
		"addr": "127.0.0.1:8080", "key": "", "queued": "1s", "generating": "2s", "fail": "0", "max-body": "268435456", "retention": "1h0m0s",
	} {
		if got := flags.Lookup(name).DefValue; got != want {
			t.Errorf("--%s is %s, want %s", name, got, want)
		}
	}
}

func TestSimulateTimeline(t *testing.T) {
	t.Setenv("AIML_API_KEY", "any-key")
	for _, test := range []struct{ queued, generating, want string }{
		{"10m", "0s", "queued"},
		{"0s", "10m", "generating"},
		{"0s", "0s", "completed"},
	} {
		url, stop := simulate(t, "--queued", test.queued, "--generating", test.generating)
		result := runWan(t, t.Context(), new(buffer), move("--base-url", url, "--timeout", "1s")...)
		result = runWan(t, t.Context(), new(buffer), "get", submitted(result), "--json", "--base-url", url)
		if want := `"status":"` + test.want + `"`; result.code != exitDone || !strings.Contains(result.stdout, want) {
			t.Errorf("exit code %d: %s%swant %s", result.code, result.stdout, result.stderr, want)
		}
		stop()
	}
}

// Ctrl-C ends it even while a response hangs.
func TestSimulateEndsWithRequestUnderWay(t *testing.T) {
	t.Parallel() // it takes the two seconds that requests in flight are given
	url, stop := simulate(t, "--fault", "poll=stall-body")
	conn, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprint(conn, "GET /v2/video/generations?generation_id=a HTTP/1.1\r\nHost: a\r\n\r\n")
	if _, err := conn.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	if code, _ := stop(); code != exitDone {
		t.Errorf("exit code %d", code)
	}
	_, _ = io.Copy(io.Discard, conn) // for ever if the connection is still open
}

// A log that nobody reads doesn't keep it from ending.
func TestSimulateEndsWithLogStuck(t *testing.T) {
	t.Parallel() // it takes the three seconds that requests in flight and the log are given
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	stdout, w := io.Pipe()
	unread, stderr := io.Pipe()
	defer unread.Close()
	done := make(chan int, 1)
	go func() {
		done <- run(ctx, []string{"simulate", "--addr", "127.0.0.1:0"}, strings.NewReader(""), w, stderr)
	}()
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	url := strings.TrimPrefix(strings.TrimSpace(line), "listening on ")
	go func() {
		if response, err := http.Get(url + "/stuck"); err == nil {
			response.Body.Close()
		}
	}()
	if _, err := unread.Read(make([]byte, 1)); err != nil { // the rest of the line is stuck
		t.Fatal(err)
	}
	response, err := http.Get(url + "/another")
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	cancel()
	if code := <-done; code != exitDone {
		t.Errorf("exit code %d", code)
	}
}

func TestSimulateWrongInput(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for _, test := range []struct {
		args []string
		want string
	}{
		{[]string{"--addr", taken.Addr().String()}, "in use"},
		{[]string{"--addr", "nonsense"}, "nonsense"},
		{[]string{"--addr", ""}, "--addr is empty"},
		{[]string{"--key", "a\nb"}, "WithKey"},
		{[]string{"--fault", "poll"}, `fault "poll"`},
		{[]string{"--fault", "poll=boom"}, `fault "poll=boom"`},
		{[]string{"--fail", "often"}, "--fail"},
		{[]string{"--queued", "5"}, "--queued"},
	} {
		args := append([]string{"simulate"}, test.args...)
		runWan(t, t.Context(), new(buffer), args...).check(t, exitInput, "", test.want)
	}
	help := runWan(t, t.Context(), new(buffer), "simulate", "--help")
	for _, want := range []string{"--addr", "--key", "--queued", "--generating", "--fail", "--seed", "--fault", "--max-body", "--retention", "drop", "stall"} {
		if !strings.Contains(help.stdout, want) {
			t.Errorf("the help doesn't say %q", want)
		}
	}
	if help.code != exitDone || help.stderr != "" {
		t.Errorf("exit code %d, stderr %q", help.code, help.stderr)
	}
	if !strings.Contains(help.stdout, simulator.EffectHelp()) {
		t.Errorf("the help doesn't say what the effects do:\n%s", help.stdout)
	}
	for line := range strings.Lines(help.stdout) {
		if len(line) > 101 {
			t.Errorf("a line has %d columns: %s", len(line)-1, line)
		}
	}
}
