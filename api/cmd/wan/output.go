package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"golang.org/x/term"

	"github.com/aimlvideo/wan-go/api"
)

// output holds the flags about the result.
type output struct {
	file    string
	timeout time.Duration
	json    bool
}

func (o *output) add(flags *pflag.FlagSet) {
	flags.StringVarP(&o.file, "output", "o", "", "`FILE` to save the video in; without it, only its URL is printed")
	flags.DurationVar(&o.timeout, "timeout", 30*time.Minute, "how long to wait in all, such as 90s or 10m; 0 is without end")
	flags.BoolVar(&o.json, "json", false, "print the result as a JSON object")
}

// A result is what --json prints.
type result struct {
	ID      string     `json:"id"`
	Status  api.Status `json:"status"`
	URL     string     `json:"url,omitempty"`
	File    string     `json:"file,omitempty"`
	Credits *float64   `json:"credits,omitempty"`
	USD     *float64   `json:"usd,omitempty"`
	Error   *failure   `json:"error,omitempty"`
}

type failure struct {
	Name    string `json:"name"`
	Message string `json:"message"`
}

// check tries, before anything is paid for, whether the video can be saved.
func (o *output) check() error {
	if o.file == "" {
		return nil
	}
	if info, err := os.Stat(o.file); err == nil && info.IsDir() {
		return inputError(fmt.Errorf("--output: %s is a directory", o.file))
	}
	f, err := os.CreateTemp(filepath.Dir(o.file), ".wan-*")
	if err != nil {
		return inputError(fmt.Errorf("--output: %s can't be created: %w", o.file, errors.Unwrap(err)))
	}
	f.Close()
	return os.Remove(f.Name())
}

// finish waits for the job, saves the video and tells the result.
func (o *output) finish(cmd *cobra.Command, conn *connection, job *api.Job) error {
	ctx, cancel := withTimeout(cmd.Context(), o.timeout)
	defer cancel()
	line := newProgressLine(cmd.ErrOrStderr())
	video, err := job.Wait(ctx, api.OnProgress(line.show))
	line.clear()
	if err == nil && o.file != "" {
		err = video.Save(ctx, o.file)
		if input := (*api.InputError)(nil); errors.As(err, &input) { // too late for "nothing was sent"
			err = &api.DownloadError{GenerationID: job.ID(), Err: input.Err}
		}
	}
	if err != nil {
		return o.unfinished(cmd, conn, job, err)
	}
	r := result{ID: job.ID(), Status: "completed", URL: video.URL, File: o.file, Credits: video.Usage.Credits, USD: video.Usage.USD}
	return o.print(cmd.OutOrStdout(), r)
}

// unfinished tells how to go on where there is a way.
func (o *output) unfinished(cmd *cobra.Command, conn *connection, job *api.Job, err error) error {
	if failed := (*api.FailedError)(nil); errors.As(err, &failed) {
		if o.json {
			_ = o.print(cmd.OutOrStdout(), result{ID: job.ID(), Status: "error", Error: &failure{failed.Name, failed.Message}})
		}
		return err
	}
	if again := conn.again(job.ID()); again != "" {
		if o.file != "" {
			again += " -o " + shellQuote(o.file)
		}
		fmt.Fprintf(cmd.ErrOrStderr(), "To go on: %s\n", again)
	}
	return err
}

// shellQuote makes a word that a shell takes as it is.
func shellQuote(word string) string {
	if strings.Trim(word, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-+=:,./@%") == "" && word != "" {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

func (o *output) print(w io.Writer, r result) error {
	if o.json {
		return json.NewEncoder(w).Encode(r)
	}
	text := r.File
	if text == "" {
		text = r.URL
	}
	_, err := fmt.Fprintln(w, text)
	return err
}

// A progressLine shows on a terminal how a wait goes. Elsewhere it is silent.
type progressLine struct{ w io.Writer }

func newProgressLine(w io.Writer) *progressLine {
	if !isTerminal(w) {
		w = io.Discard
	}
	return &progressLine{w}
}

func (p *progressLine) show(progress api.Progress) {
	status := string(progress.Status)
	switch {
	case progress.Err != nil:
		status = fmt.Sprintf("%s (%d polls failed)", status, progress.Missed)
	case !progress.Status.Valid():
		status += " (not a documented status)"
	}
	fmt.Fprintf(p.w, "\r\x1b[K%s %s", progress.Elapsed.Round(time.Second), status)
}

func (p *progressLine) clear() { fmt.Fprint(p.w, "\r\x1b[K") }

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

func terminalWidth(w io.Writer) int {
	if f, ok := w.(*os.File); ok {
		if width, _, err := term.GetSize(int(f.Fd())); err == nil {
			return min(width, 120)
		}
	}
	return 100
}
