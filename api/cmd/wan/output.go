package main

import (
	"context"
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

	"github.com/aimlvideo/wan-go/api"
	"github.com/aimlvideo/wan-go/spec"
)

// output holds the flags about the result.
type output struct {
	file    string
	timeout time.Duration
	json    bool
	quiet   bool
}

func (o *output) add(flags *pflag.FlagSet) {
	flags.StringVarP(&o.file, "output", "o", "",
		"`FILE` to save the video in; {id}, {model} and {seed} stand for those of the generation. Without it, only the URL is printed")
	flags.DurationVar(&o.timeout, "timeout", 30*time.Minute, "how long to wait in all, such as 90s or 10m; 0 is without end")
	flags.BoolVar(&o.json, "json", false, "print the result as a JSON object in one line")
	flags.BoolVarP(&o.quiet, "quiet", "q", false, "tell nothing of the progress")
}

// A result is what --json prints, one for each generation. Members are only ever added.
type result struct {
	ID      string     `json:"id"`
	Status  api.Status `json:"status,omitempty"`
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

// path is the file for a generation.
func (o *output) path(id, seed string) string {
	// The id of a generation has the model behind a colon, in one of its two shapes.
	_, model, _ := strings.Cut(id, ":")
	if document, ok := spec.ByModel(model); ok {
		model = document.Slug
	}
	safe := strings.NewReplacer("/", "_", `\\`, "_", ":", "_")
	return strings.NewReplacer("{id}", safe.Replace(id), "{model}", safe.Replace(model), "{seed}", safe.Replace(seed)).Replace(o.file)
}

// check tries, before anything is paid for, whether the videos of so many generations can be saved.
func (o *output) check(generations int) error {
	if o.timeout < 0 {
		return inputError(fmt.Errorf("--timeout: %v is in the past", o.timeout))
	}
	if o.file == "" {
		return nil
	}
	if generations > 1 && !strings.Contains(o.file, "{id}") {
		return inputError(fmt.Errorf("--output: %s is one file for several generations; put {id} into its name", o.file))
	}
	path := o.path("id", "0")
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return inputError(fmt.Errorf("--output: %s is a directory", path))
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".wan-*")
	if err != nil {
		return inputError(fmt.Errorf("--output: %s can't be created: %w", path, errors.Unwrap(err)))
	}
	f.Close()
	return os.Remove(f.Name())
}

// finish waits for the job, saves the video and tells the result.
func (o *output) finish(ctx context.Context, cmd *cobra.Command, conn *connection, job *api.Job, p *jobProgress, seed string) error {
	video, err := job.Wait(ctx, api.OnProgress(p.wait))
	path := o.path(job.ID(), seed)
	if err == nil && path != "" {
		err = video.Save(ctx, path, api.OnDownload(p.download))
		if input, ok := errors.AsType[*api.InputError](err); ok { // too late for "nothing was sent"
			err = &api.DownloadError{GenerationID: job.ID(), Err: input.Err}
		}
	}
	p.aside(func() {
		if err != nil {
			o.unfinished(cmd, conn, job, path, err)
			return
		}
		err = o.print(cmd.OutOrStdout(),
			result{ID: job.ID(), Status: "completed", URL: video.URL, File: path, Credits: video.Usage.Credits, USD: video.Usage.USD})
	})
	return err
}

// unfinished tells how to go on where there is a way.
func (o *output) unfinished(cmd *cobra.Command, conn *connection, job *api.Job, path string, err error) {
	if failed, ok := errors.AsType[*api.FailedError](err); ok {
		if o.json {
			_ = o.print(cmd.OutOrStdout(), result{ID: job.ID(), Status: "error", Error: &failure{failed.Name, failed.Message}})
		}
		return
	}
	if again := conn.again(job.ID()); again != "" && !errors.Is(err, api.ErrNotFound) {
		if path != "" {
			again += " -o " + shellQuote(path)
		}
		fmt.Fprintf(cmd.ErrOrStderr(), "To go on: %s\n", again)
	}
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
	text := r.ID
	switch {
	case r.File != "":
		text = r.File
	case r.URL != "":
		text = r.URL
	}
	_, err := fmt.Fprintln(w, text)
	return err
}

// withTimeout bounds a wait; 0 is no bound.
func withTimeout(ctx context.Context, timeout time.Duration) (context.Context, context.CancelFunc) {
	if timeout <= 0 {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, timeout)
}
