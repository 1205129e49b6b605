package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/aimlvideo/wan-go/api"
)

// output holds the flags about the result.
type output struct {
	file      string
	overwrite bool
	timeout   time.Duration
	json      bool
	quiet     bool
	flags     *pflag.FlagSet

	slug   string   // of the model; empty where only the id tells
	inputs []string // files that the request is made of
}

func (o *output) add(flags *pflag.FlagSet) {
	o.flags = flags
	flags.StringVarP(&o.file, "output", "o", "",
		"`FILE` to save the video in; {id}, {model} and {seed} stand for those of the generation. Without it, only the URL is printed")
	flags.BoolVar(&o.overwrite, "overwrite", false, "replace the file if there is one")
	flags.DurationVar(&o.timeout, "timeout", 30*time.Minute, "how long to wait in all, such as 90s or 10m; 0 is without end")
	flags.BoolVar(&o.json, "json", false, "print the result as a JSON object in one line, whatever becomes of the generation")
	flags.BoolVarP(&o.quiet, "quiet", "q", false, "tell nothing of the progress")
}

// check tries, before anything is paid for, whether the videos can be saved, and whether that costs another file. ids are
// those of the generations, or nil for one that has yet to be submitted.
func (o *output) check(seed string, ids []string) error {
	if o.timeout < 0 {
		return inputError(fmt.Errorf("--timeout: %v is in the past", o.timeout))
	}
	if !o.flags.Changed("output") {
		return nil
	}
	if err := o.checkPlaces(seed, ids); err != nil {
		return inputError(fmt.Errorf("--output: %w", err))
	}
	return nil
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
		if err = o.free(path); err != nil { // it has come meanwhile
			err = &api.DownloadError{GenerationID: job.ID(), Err: err}
		} else if err = video.Save(ctx, path, api.OnDownload(p.download)); is[*api.InputError](err) { // too late for "nothing was sent"
			err = &api.DownloadError{GenerationID: job.ID(), Err: errors.Unwrap(err)}
		}
	}
	if err == nil {
		r.File = path
	}
	if err == nil && path != "" {
		p.line(saved(path, video.Usage, conn.simulate))
	} else if err == nil && conn.simulate {
		p.line("the URL ends with the simulator; -o FILE saves the video")
	}
	p.finish()
	p.aside(func() { err = o.tell(cmd, conn, r, path, err) })
	return err
}

// saved says what there is now, and what it has cost.
func saved(path string, usage api.Usage, simulated bool) string {
	text := "saved " + path
	if info, err := os.Stat(path); err == nil {
		text += ", " + size(info.Size())
	}
	if simulated {
		return text + ", simulated, nothing is charged"
	}
	if usage.Credits != nil {
		text += fmt.Sprintf(", %.0f credits", *usage.Credits)
	}
	if usage.USD != nil {
		text += fmt.Sprintf(", $%.2f", *usage.USD)
	}
	return text
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
	switch {
	case r.ID == "", over(err):
	case conn.simulate:
		fmt.Fprintln(cmd.ErrOrStderr(), "There is no way on: the simulator ends with this command.")
	default:
		fmt.Fprintln(cmd.ErrOrStderr(), "To go on: "+o.again(conn, r.ID, path))
	}
	return toldError{err}
}

// again is the command that takes up a generation.
func (o *output) again(conn *connection, id, path string) string {
	command := conn.again(id)
	if path != "" {
		command += " -o " + shellQuote(path)
		if o.overwrite {
			command += " --overwrite"
		}
	}
	return printable(command)
}

// over reports whether there is nothing to wait for any more. That an answer 404 has named a generation is another matter.
func over(err error) bool {
	return is[*api.FailedError](err) || errors.Is(err, api.ErrNotFound) && !is[*api.UnknownOutcomeError](err)
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
