//go:build unix

package main

import (
	"bufio"
	"bytes"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aimlvideo/wan-go/conformance/simulator"
)

// started runs the command as a process (see TestMain) until it has printed the id of its job.
func started(t *testing.T, srv *simulator.Server, out string) (command *exec.Cmd, id string, stderr *bufio.Reader) {
	t.Helper()
	command = exec.Command("wan", "animate-move", "--base-url", srv.URL, "--video-url", "https://example.com/v.mp4",
		"--image-url", "../../../conformance/testdata/hero.png", "-o", out)
	command.Env = append(os.Environ(), "AIML_API_KEY="+srv.Key)
	pipe, err := command.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	stderr = bufio.NewReader(pipe)
	for _, want := range []string{"submitting as wan-", "submitted "} {
		line, err := stderr.ReadString('\n')
		rest, ok := strings.CutPrefix(strings.TrimSpace(line), want)
		if err != nil || !ok {
			t.Fatalf("the line is %q: %v", line, err)
		}
		id = rest
	}
	return command, id, stderr
}

// Whenever it is killed, the id resumes the generation: one job, one charge, one whole file.
func TestKill(t *testing.T) {
	video, err := os.ReadFile("../../../conformance/simulator/videos/854x480.mp4")
	if err != nil {
		t.Fatal(err)
	}
	atOnce := func(*testing.T, *simulator.Server, string) {}
	for name, ready := range map[string]func(t *testing.T, srv *simulator.Server, dir string){
		"after the submission": atOnce,
		"at a random time": func(t *testing.T, _ *simulator.Server, _ string) {
			t.Helper()
			<-time.After(rand.N(2 * time.Second))
		},
		"while it polls": func(t *testing.T, srv *simulator.Server, _ string) {
			t.Helper()
			until(t, func() bool { return srv.Ledger().Polls > 0 })
		},
		"while it downloads": func(t *testing.T, _ *simulator.Server, dir string) {
			t.Helper()
			until(t, func() bool {
				parts, _ := filepath.Glob(filepath.Join(dir, ".wan-*.part"))
				if len(parts) == 0 {
					return false
				}
				info, err := os.Stat(parts[0])
				return err == nil && info.Size() > 0 && info.Size() < int64(len(video))
			})
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv := simulator.Start(t, simulator.WithTimeline(simulator.Complete(200*time.Millisecond, 300*time.Millisecond)),
				simulator.WithFaults(simulator.Fault{On: simulator.Download, Effect: simulator.Slow(20 << 10)}))
			out := filepath.Join(t.TempDir(), "out.mp4")
			command, id, _ := started(t, srv, out)
			ready(t, srv, filepath.Dir(out))
			if err := command.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			_ = command.Wait()

			again := exec.Command("wan", "wait", id, "-o", out, "--overwrite", "--base-url", srv.URL)
			again.Env = append(os.Environ(), "AIML_API_KEY="+srv.Key)
			if output, err := again.CombinedOutput(); err != nil {
				t.Fatalf("%v: %s", err, output)
			}
			if got, err := os.ReadFile(out); err != nil || !bytes.Equal(got, video) {
				t.Errorf("the file has %d bytes of %d: %v", len(got), len(video), err)
			}
			if ledger := srv.Ledger(); ledger.Created != 1 || ledger.Charged != 1 {
				t.Errorf("%d jobs, %d charges", ledger.Created, ledger.Charged)
			}
		})
	}
}

// until waits for a condition.
func until(t *testing.T, condition func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !condition() {
		select {
		case <-tick.C:
		case <-t.Context().Done():
			t.Fatal("the test ended first")
		}
	}
}

// Ctrl-C and a closed terminal print how to resume.
func TestInterrupt(t *testing.T) {
	for _, signalled := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT, syscall.SIGABRT} {
		t.Run(signalled.String(), func(t *testing.T) {
			if signal.Ignored(signalled) {
				t.Skip("it is ignored here, as under nohup")
			}
			interrupt(t, signalled)
		})
	}
}

func interrupt(t *testing.T, signalled os.Signal) {
	t.Helper()
	srv := simulator.Start(t, simulator.WithTimeline(simulator.Complete(time.Hour, 0)))
	out := filepath.Join(t.TempDir(), "my out.mp4")
	command, id, stderr := started(t, srv, out)
	if err := command.Process.Signal(signalled); err != nil {
		t.Fatal(err)
	}
	rest, _ := io.ReadAll(stderr)
	_ = command.Wait()
	if code := command.ProcessState.ExitCode(); code != exitRunning {
		t.Errorf("exit code %d, want %d", code, exitRunning)
	}
	if want := "To resume: wan wait " + id + " --base-url " + srv.URL + " -o '" + out + "'\n"; !strings.Contains(string(rest), want) {
		t.Errorf("it prints %s, not %s", rest, want)
	}
	if status, ok := command.ProcessState.Sys().(syscall.WaitStatus); !ok || status.Signaled() {
		t.Errorf("it was killed by the signal: %v", command.ProcessState)
	}
}

// A stderr that is closed doesn't end a wait that has been paid for.
func TestClosedStderr(t *testing.T) {
	srv := simulator.Start(t, simulator.WithTimeline(simulator.Complete(200*time.Millisecond, 200*time.Millisecond)))
	command := exec.Command("wan", "animate-move", "--base-url", srv.URL, "--video-url", "https://example.com/v.mp4", "--image-url", "https://example.com/i.png", "--json")
	command.Env = append(os.Environ(), "AIML_API_KEY="+srv.Key)
	pipe, err := command.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	var stdout bytes.Buffer
	command.Stdout = &stdout
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := bufio.NewReader(pipe).ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	pipe.Close()
	if err := command.Wait(); err != nil || !strings.Contains(stdout.String(), `"outcome":"done"`) {
		t.Errorf("%v: %s", err, stdout.String())
	}
}
