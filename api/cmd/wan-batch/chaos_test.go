package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aimlvideo/wan-go/api/batch"
	"github.com/aimlvideo/wan-go/conformance/simulator"
)

// The full scale, about ten minutes each:
//
//	go test ./api/cmd/wan-batch -run 'TestChaos$' -v -timeout 1h -chaos.lines 2000 -chaos.kills 20
//	go test ./api/cmd/wan-batch -run TestChaosPostgres -v -timeout 1h -chaos.lines 2000 -chaos.kills 20
var (
	chaosLines = flag.Int("chaos.lines", 60, "lines of the chaos tests")
	chaosKills = flag.Int("chaos.kills", 5, "kill -9 of the chaos tests")
	chaosSeed  = flag.Uint64("chaos.seed", rand.Uint64(), "seed of the chaos tests")
)

// asCommand makes the test binary the command itself.
const asCommand = "WAN_BATCH_TEST_COMMAND"

func TestMain(m *testing.M) {
	if os.Getenv(asCommand) != "" {
		os.Unsetenv(asCommand)
		main()
	}
	os.Exit(m.Run())
}

func TestChaos(t *testing.T) {
	t.Parallel()
	c := newChaos(t)
	run := c.command("run", c.manifest, "-o", c.directory, "--concurrency", "200")
	for range *chaosKills {
		c.kill(run)
	}
	c.finish(run)
	c.verify()
}

func TestChaosPostgres(t *testing.T) {
	t.Parallel()
	database := os.Getenv("WAN_TEST_POSTGRES")
	if database == "" {
		t.Skip("WAN_TEST_POSTGRES isn't set to the URL of a Postgres database, such as postgres://postgres@127.0.0.1:5432/postgres")
	}
	if testing.Short() {
		t.Skip("the leases of killed processes take minutes to expire")
	}
	c := newChaos(t)
	id := strings.ToLower(fmt.Sprintf("chaos-%x", c.random.Uint32()))
	place := []string{"--database", database, "--batch", id}
	c.place = place
	run := c.command(append([]string{"run", c.manifest, "-o", c.directory, "--concurrency", "200"}, place...)...)
	work := c.command(append([]string{"work"}, place...)...)
	// The batch has to be there before others can help.
	first := c.start(run)
	for !c.exists(place) {
		time.Sleep(100 * time.Millisecond)
	}
	processes := []*process{first, c.start(work), c.start(work)}
	for range *chaosKills {
		i := c.random.IntN(len(processes))
		c.pause()
		processes[i].kill()
		next := work
		if i == 0 {
			next = run
		}
		processes[i] = c.start(next)
	}
	for _, p := range processes {
		t.Logf("a process has ended with exit code %d", p.wait())
	}
	c.finish(run)
	c.verify()
}

type chaos struct {
	t                   *testing.T
	random              *rand.Rand
	sim                 *simulator.Server
	directory, manifest string
	place               []string
	begin               time.Time
}

// newChaos makes a manifest and a simulator that drops responses, refuses, fails, and lets URLs expire.
func newChaos(t *testing.T) *chaos {
	t.Helper()
	t.Logf("-chaos.seed %d", *chaosSeed)
	sim := simulator.Start(t,
		simulator.WithSeed(*chaosSeed), simulator.WithRetention(24*time.Hour), simulator.WithFailureRate(0.03),
		simulator.WithTimeline(simulator.Complete(500*time.Millisecond, 2*time.Second)), simulator.WithLogDelay(time.Second),
		simulator.WithFaults(
			simulator.Fault{On: simulator.Submit, Probability: 0.05, Effect: simulator.Drop()},
			simulator.Fault{On: simulator.Submit, Probability: 0.005, Effect: simulator.RetryAfter(429, "1")},
			simulator.Fault{On: simulator.Submit, Probability: 0.01, Effect: simulator.Reset()},
			simulator.Fault{On: simulator.Submit, Probability: 0.01, Effect: simulator.Truncate()},
			simulator.Fault{On: simulator.Poll, Probability: 0.03, Effect: simulator.Status(502)},
			simulator.Fault{On: simulator.Download, Probability: 0.05, Effect: simulator.Expire()},
			simulator.Fault{On: simulator.Download, Probability: 0.05, Effect: simulator.Truncate()},
		))
	c := &chaos{t: t, random: rand.New(rand.NewPCG(*chaosSeed, 1)), sim: sim, directory: filepath.Join(t.TempDir(), "videos"), begin: time.Now()}
	var lines bytes.Buffer
	for i := range *chaosLines {
		fmt.Fprintf(&lines, `{"custom_id":"shot-%05d","model":"alibaba/wan2.2-14b-animate-move","video_url":"https://example.com/%d.mp4","image_url":"https://example.com/hero.png"}`+"\n", i, i)
	}
	c.manifest = filepath.Join(filepath.Dir(c.directory), "jobs.jsonl")
	if err := os.WriteFile(c.manifest, lines.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return c
}

// command makes a function that makes the command: an exec.Cmd runs only once.
func (c *chaos) command(args ...string) func() *exec.Cmd {
	return func() *exec.Cmd {
		executable, err := os.Executable()
		if err != nil {
			c.t.Fatal(err)
		}
		find := 15 * time.Second
		if *chaosLines > 500 {
			find = 2 * time.Minute // a search through the logs takes its time
		}
		cmd := exec.CommandContext(c.t.Context(), executable, append(args, "--base-url", c.sim.URL, "--find", find.String())...)
		cmd.Env = append(os.Environ(), asCommand+"=1", "AIML_API_KEY="+c.sim.Key)
		return cmd
	}
}

type process struct {
	*exec.Cmd

	output bytes.Buffer
}

func (c *chaos) start(command func() *exec.Cmd) *process {
	p := &process{Cmd: command()}
	p.Stdout, p.Stderr = &p.output, &p.output
	if err := p.Start(); err != nil {
		c.t.Fatal(err)
	}
	return p
}

func (p *process) kill() {
	_ = p.Process.Signal(syscall.SIGKILL)
	_ = p.Wait()
}

func (p *process) wait() int {
	_ = p.Wait()
	return p.ProcessState.ExitCode()
}

// pause is a random time, often so short that the process is still starting.
func (c *chaos) pause() {
	d := time.Duration(c.random.Int64N(int64(3 * time.Second)))
	if c.random.IntN(3) == 0 {
		d = time.Duration(c.random.Int64N(int64(200 * time.Millisecond)))
	}
	time.Sleep(d)
}

func (c *chaos) kill(command func() *exec.Cmd) {
	p := c.start(command)
	c.pause()
	p.kill()
}

// finish runs the batch to its end. What is unknown then, the simulator has never seen: the test, which knows, has it
// submitted again.
func (c *chaos) finish(command func() *exec.Cmd) {
	c.t.Helper()
	p := c.start(command)
	code := p.wait()
	if code == exitUnknown {
		created := map[string]bool{}
		for _, job := range c.sim.Ledger().Jobs {
			created[strings.Split(job.ClientRequestID, ":")[2]] = true
		}
		for _, r := range c.records() {
			if r.State == batch.Unknown {
				c.t.Logf("%s is unknown: %s", r.CustomID, r.Error.Message)
				if created[r.CustomID] {
					c.t.Errorf("%s is unknown, but the simulator has a job for it", r.CustomID)
				}
			}
		}
		c.sim.ClearFaults()
		args := append([]string{"resolve", "--resubmit", "--all", "-o", c.directory}, c.place...)
		if code := run(c.t.Context(), args, &console{stdout: io.Discard, stderr: io.Discard}); code != 0 {
			c.t.Errorf("resolve: exit code %d", code)
		}
		p = c.start(command)
		code = p.wait()
	}
	if code != exitDone && code != exitFailed {
		text := p.output.String()
		c.t.Errorf("exit code %d after\n%s", code, text[max(0, len(text)-3000):])
	}
}

// records is what export prints.
func (c *chaos) records() (records []batch.Record) {
	c.t.Helper()
	args := append([]string{"export"}, c.place...)
	if c.place == nil {
		args = append(args, c.directory)
	}
	var exported, stderr bytes.Buffer
	if code := run(c.t.Context(), args, &console{stdout: &exported, stderr: &stderr}); code != 0 {
		c.t.Fatalf("export: exit code %d: %s", code, &stderr)
	}
	for decoder := json.NewDecoder(&exported); ; {
		var r batch.Record
		if err := decoder.Decode(&r); errors.Is(err, io.EOF) {
			return records
		} else if err != nil {
			c.t.Fatal(err)
		}
		records = append(records, r)
	}
}

func (c *chaos) exists(flags []string) bool {
	b, err := batch.Open(c.t.Context(), flags[1], flags[3])
	if err == nil {
		s, statusErr := b.Status(c.t.Context())
		b.Close()
		return statusErr == nil && s.Output != ""
	}
	if !errors.Is(err, batch.ErrNoBatch) {
		c.t.Log(err)
	}
	return false
}

// verify compares the ledger of the simulator with the batch.
func (c *chaos) verify() {
	t := c.t
	t.Helper()
	c.sim.ClearFaults()
	states := map[batch.State]int{}
	lineOf := map[string]string{} // by generation id
	for _, r := range c.records() {
		states[r.State]++
		if r.Response != nil && r.Response.RequestID != "" {
			if other, ok := lineOf[r.Response.RequestID]; ok {
				t.Errorf("%s and %s have the same generation", other, r.CustomID)
			}
			lineOf[r.Response.RequestID] = r.CustomID
		}
	}
	ledger := c.sim.Ledger()
	jobs := map[string]int{} // by line
	for _, job := range ledger.Jobs {
		line := strings.Split(job.ClientRequestID, ":")[2]
		if jobs[line]++; jobs[line] > 1 {
			t.Errorf("%s was created twice, the second time as %s", line, job.ClientRequestID)
		}
		if lineOf[job.ID] != line {
			t.Errorf("job %s of %s belongs to %q", job.ID, line, lineOf[job.ID])
		}
		if job.Charged {
			c.compare(job, filepath.Join(c.directory, line+".mp4"))
		}
	}
	if states[batch.Saved]+states[batch.Failed] != *chaosLines || len(jobs) != *chaosLines {
		t.Errorf("%d lines: %v, %d jobs", *chaosLines, states, len(jobs))
	}
	if ledger.Charged != states[batch.Saved] {
		t.Errorf("%d charged, %d saved", ledger.Charged, states[batch.Saved])
	}
	c.compareFiles(states)
	t.Logf("%d lines, %d kills, %v: %v; %d jobs created, %d charged, 0 expected twice", *chaosLines, *chaosKills, time.Since(c.begin).Round(time.Second), states, ledger.Created, ledger.Charged)
}

// compare checks that a saved video is the one that the simulator serves.
func (c *chaos) compare(job simulator.Job, path string) {
	c.t.Helper()
	response, err := http.Get(c.sim.URL + job.Result)
	if err != nil {
		c.t.Fatal(err)
	}
	defer response.Body.Close()
	want, err := io.ReadAll(response.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	got, err := os.ReadFile(path)
	if err != nil || sha256.Sum256(got) != sha256.Sum256(want) {
		c.t.Errorf("%s isn't the video of %s: %v", path, job.ID, err)
	}
}

// compareFiles checks that results.jsonl and errors.jsonl have each line once.
func (c *chaos) compareFiles(states map[batch.State]int) {
	c.t.Helper()
	for name, want := range map[string]int{batch.ResultsFile: states[batch.Saved], batch.ErrorsFile: states[batch.Failed]} {
		text, err := os.ReadFile(filepath.Join(c.directory, name))
		if err != nil {
			c.t.Fatal(err)
		}
		seen := map[string]bool{}
		for line := range strings.Lines(string(text)) {
			var r batch.Record
			if err := json.Unmarshal([]byte(line), &r); err != nil {
				c.t.Errorf("%s: %v: %s", name, err, line)
			}
			if seen[r.CustomID] && name == batch.ResultsFile {
				c.t.Errorf("%s has %s twice", name, r.CustomID)
			}
			seen[r.CustomID] = true
		}
		// A line that was unknown at first is in errors.jsonl too.
		if len(seen) != want && name == batch.ResultsFile || len(seen) < want {
			c.t.Errorf("%s has %d lines, want %d", name, len(seen), want)
		}
	}
}
