package main

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/aimlvideo/wan-go/spec/redact"
)

type jobsOptions struct {
	*console

	unknown, json bool
}

func newJobs(c *console) *cobra.Command {
	o := &jobsOptions{console: c}
	command := &cobra.Command{
		Use:   "jobs",
		Short: "List the generations that wan has submitted",
		Long: "List the generations that wan has submitted from this machine, oldest first: time, outcome, model, id and file. " +
			"They stand in " + journalPath() + ", without the API key and media. " +
			"--no-history or the environment variable " + noHistory + " keeps a submission out of it. Simulated ones are never in it.",
		GroupID: "jobs",
		Example: "  wan jobs\n  wan wait LAST -o out.mp4\n  wan jobs --unknown",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return runJobs(cmd.Context(), o) },
	}
	command.Flags().BoolVar(&o.unknown, "unknown", false, "only submissions of unknown outcome, with the id to look them up with")
	command.Flags().BoolVar(&o.json, "json", false, "print JSON objects, one in a line")
	return command
}

func runJobs(ctx context.Context, o *jobsOptions) error {
	records, err := await(ctx, o.jobs)
	if err != nil {
		return err
	}
	if o.unknown {
		records = slices.DeleteFunc(records, func(r *record) bool { return !r.isUnknown() })
	}
	if len(records) == 0 && !o.json {
		fmt.Fprintln(o.stderr, "no jobs; simulated ones aren't listed")
	}
	w := bufio.NewWriter(o.stdout)
	encoder := json.NewEncoder(w)
	for _, r := range records {
		if o.json {
			if err := encoder.Encode(r); err != nil {
				return err
			}
			continue
		}
		id := r.ID
		if r.isUnknown() {
			id = "client request id " + r.ClientRequestID
		}
		line := fmt.Sprintf("%s  %-10s  %-16s  %s", r.Time.Local().Format(time.DateTime), r.Outcome, r.Model, id)
		if r.Output != "" {
			line += "  " + r.Output
		}
		fmt.Fprintln(w, redact.Printable(line, ""))
	}
	return w.Flush()
}

// isUnknown reports whether the outcome of the submission is unknown: no response was of use, or wan ended before one.
func (r *record) isUnknown() bool {
	return r.ID == "" && (r.Outcome == "submitting" || r.Outcome == outcomes[exitUnknown].name)
}

// noHistory is the environment variable that turns the journal off.
const noHistory = "WAN_NO_HISTORY"

// An event is a line of the journal. It never holds the key or media.
type event struct {
	Time            time.Time `json:"time"`
	Event           string    `json:"event,omitempty"` // submitting, submitted, or the name of an exit code
	ID              string    `json:"id,omitempty"`
	ClientRequestID string    `json:"client_request_id,omitempty"`
	Model           string    `json:"model,omitempty"`
	BaseURL         string    `json:"base_url,omitempty"`
	Output          string    `json:"output,omitempty"`
}

// A journal remembers submissions, so that a closed terminal loses nothing. It is an append-only file of JSON lines in
// the state folder. It is best effort: no failure of it stops a submission, or delays one by more than a second.
type journal struct {
	path string // "" if the journal is off
	now  func() time.Time
}

// journalPath is the journal's file, or "" if there is no home folder.
func journalPath() string {
	state := os.Getenv("XDG_STATE_HOME")
	if !filepath.IsAbs(state) { // as the XDG specification demands
		home, err := os.UserHomeDir()
		if err != nil {
			return ""
		}
		state = filepath.Join(home, ".local", "state")
	}
	return filepath.Join(state, "wan", "jobs.jsonl")
}

func openJournal(c *console, off bool) *journal {
	if off || os.Getenv(noHistory) != "" {
		return &journal{}
	}
	return &journal{path: journalPath(), now: c.now}
}

// add appends an event. A file that blocks, such as a FIFO, turns the journal off.
func (j *journal) add(e event) {
	if j.path == "" {
		return
	}
	e.Time = j.now().UTC()
	line, err := json.Marshal(e)
	if err != nil {
		return
	}
	path := j.path
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	_, err = await(ctx, func() (struct{}, error) { return struct{}{}, appendLine(path, line) })
	if ctx.Err() != nil && err != nil {
		j.path = ""
	}
}

func appendLine(path string, line []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(append(line, '\n'))
	return errors.Join(err, f.Close())
}

// A record is what the journal knows of one submission.
type record struct {
	event

	Outcome string `json:"outcome"` // the last event
}

// readJournal merges the events of each submission, oldest first. Broken lines are skipped.
func readJournal(r io.Reader) (records []*record) {
	byRequest, byID := map[string]*record{}, map[string]*record{}
	scanner := bufio.NewScanner(r)
	scanner.Buffer(nil, 1<<20)
	for scanner.Scan() {
		var e event
		if json.Unmarshal(bytes.TrimSpace(scanner.Bytes()), &e) != nil || e.ID+e.ClientRequestID == "" {
			continue
		}
		found := byRequest[e.ClientRequestID]
		if found == nil {
			found = byID[e.ID]
		}
		if found == nil {
			if !strings.HasPrefix(e.Event, "submi") { // a wait for a generation that wan didn't submit here
				continue
			}
			found = &record{event: e}
			records = append(records, found)
		}
		found.Outcome, found.Event = e.Event, "" // one word for a state
		found.ID = cmp.Or(e.ID, found.ID)
		found.Output = cmp.Or(e.Output, found.Output)
		if e.ClientRequestID != "" {
			byRequest[e.ClientRequestID] = found
		}
		if e.ID != "" {
			byID[e.ID] = found
		}
	}
	return records
}

// jobs reads the journal. A missing file has no jobs.
func (c *console) jobs() ([]*record, error) {
	f, err := os.Open(journalPath())
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return readJournal(f), nil
}

// last is the generation that was submitted last.
func (c *console) last() (record, error) {
	records, err := c.jobs()
	for _, r := range slices.Backward(records) {
		if r.ID != "" {
			return *r, nil
		}
	}
	return record{}, cmp.Or(err, inputError(errors.New("LAST: the journal has no generation; see wan jobs")))
}
