package main

import (
	"context"
	"errors"
	"fmt"
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
	flags.BoolVar(&o.json, "json", false, "print the result as a JSON object in one line, whatever becomes of the generation")
	flags.BoolVarP(&o.quiet, "quiet", "q", false, "tell nothing of the progress")
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
	if err := checkFile(o.path("id", "0")); err != nil {
		return inputError(fmt.Errorf("--output: %w", err))
	}
	return nil
}

// checkFile tries whether a file can be created.
func checkFile(path string) error {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return fmt.Errorf("%s is a directory", path)
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".wan-*")
	if err != nil {
		return fmt.Errorf("%s can't be created: %w", path, errors.Unwrap(err))
	}
	f.Close()
	return os.Remove(f.Name())
}

// finish waits for the job, saves the video and tells the result.
func (o *output) finish(ctx context.Context, cmd *cobra.Command, conn *connection, job *api.Job, p *jobProgress, seed string) error {
	r := result{ID: job.ID(), ClientRequestID: job.ClientRequestID()}
	video, err := job.Wait(ctx, api.OnProgress(func(now api.Progress) {
		r.Status = now.Status
		p.wait(now)
	}))
	path := o.path(job.ID(), seed)
	if err == nil {
		r.has(video)
	}
	if err == nil && path != "" {
		err = video.Save(ctx, path, api.OnDownload(p.download))
		if input, ok := errors.AsType[*api.InputError](err); ok { // too late for "nothing was sent"
			err = &api.DownloadError{GenerationID: job.ID(), Err: input.Err}
		}
	}
	if err == nil {
		r.File = path
	}
	p.aside(func() { err = o.tell(cmd, conn, r, path, err) })
	return err
}

// tell prints the result, and how to go on where that isn't the end.
func (o *output) tell(cmd *cobra.Command, conn *connection, r result, path string, err error) error {
	r.conclude(err)
	if err == nil {
		return r.write(cmd.OutOrStdout(), o.json)
	}
	if o.json && r.Outcome != "" {
		err = errors.Join(err, r.write(cmd.OutOrStdout(), true))
	}
	fmt.Fprintln(cmd.ErrOrStderr(), "wan: "+message(err))
	again := conn.again(r.ID)
	if r.ID != "" && again != "" && !is[*api.FailedError](err) && !errors.Is(err, api.ErrNotFound) {
		if path != "" {
			again += " -o " + shellQuote(path)
		}
		fmt.Fprintln(cmd.ErrOrStderr(), "To go on: "+again)
	}
	return toldError{err}
}

// refused tells of a submission that has no job, or none that is certain.
func (o *output) refused(cmd *cobra.Command, conn *connection, err error) error {
	var r result
	if unknown, ok := errors.AsType[*api.UnknownOutcomeError](err); ok {
		r.ID, r.ClientRequestID = unknown.GenerationID, unknown.ClientRequestID
	} else if rejected, ok := errors.AsType[*api.RejectedError](err); ok {
		r.ClientRequestID = rejected.ClientRequestID
	} else if notSent, ok := errors.AsType[*api.NotSentError](err); ok {
		r.ClientRequestID = notSent.ClientRequestID
	}
	return o.tell(cmd, conn, r, "", err)
}

// shellQuote makes a word that a shell takes as it is.
func shellQuote(word string) string {
	if strings.Trim(word, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-+=:,./@%") == "" && word != "" {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// withTimeout bounds a wait; 0 is no bound.
func withTimeout(ctx context.Context, timeout time.Duration) (context.Context, context.CancelFunc) {
	if timeout <= 0 {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, timeout)
}
