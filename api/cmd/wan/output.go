package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/aimlvideo/wan-go/api"
	"github.com/aimlvideo/wan-go/spec"
)

// output holds the flags about the result.
type output struct {
	file      string
	overwrite bool
	timeout   time.Duration
	json      bool
	quiet     bool
	flags     *pflag.FlagSet
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

// path is the file for a generation.
func (o *output) path(id, seed string) string {
	// The id of a generation has the model behind a colon, in one of its two shapes.
	_, model, _ := strings.Cut(id, ":")
	if document, ok := spec.ByModel(model); ok {
		model = document.Slug
	}
	safe := strings.NewReplacer("/", "_", `\`, "_", ":", "_")
	return strings.NewReplacer("{id}", safe.Replace(id), "{model}", safe.Replace(model), "{seed}", safe.Replace(seed)).Replace(o.file)
}

// placeholder is what looks like one in the name of a file.
var placeholder = regexp.MustCompile(`\{[^{}]*\}`)

// check tries, before anything is paid for, whether the videos of so many generations can be saved, and whether that
// costs another file. The inputs are the files that are sent.
func (o *output) check(generations int, seed string, inputs []string) error {
	if o.timeout < 0 {
		return inputError(fmt.Errorf("--timeout: %v is in the past", o.timeout))
	}
	if !o.flags.Changed("output") {
		return nil
	}
	if err := o.checkName(generations, seed); err != nil {
		return inputError(fmt.Errorf("--output: %w", err))
	}
	path := o.path("id", seed)
	info, err := os.Stat(path)
	for _, input := range inputs {
		if other, otherErr := os.Stat(input); err == nil && otherErr == nil && os.SameFile(info, other) {
			return inputError(fmt.Errorf("--output: %s is an input of the request; choose another name", path))
		}
	}
	if err == nil && info.Mode().IsRegular() && !o.overwrite && !strings.Contains(o.file, "{id}") {
		return inputError(fmt.Errorf("--output: %s exists; choose another name, put {id} into it, or add --overwrite", path))
	}
	if err := checkFile(path); err != nil {
		return inputError(fmt.Errorf("--output: %w", err))
	}
	return nil
}

func (o *output) checkName(generations int, seed string) error {
	switch {
	case o.file == "":
		return errors.New("it is empty")
	case o.file == "-":
		return errors.New("- isn't a file, and videos aren't written to standard output")
	case generations > 1 && !strings.Contains(o.file, "{id}"):
		return fmt.Errorf("%s is one file for several generations; put {id} into its name", o.file)
	case strings.Contains(o.file, "{seed}") && seed == "":
		return errors.New("{seed} needs a --seed: the one that the API chooses isn't told")
	}
	for _, name := range placeholder.FindAllString(o.file, -1) {
		if name != "{id}" && name != "{model}" && name != "{seed}" {
			return fmt.Errorf("%s stands for nothing; there are {id}, {model} and {seed}", name)
		}
	}
	return nil
}

// checkFile tries whether a file can be created.
func checkFile(path string) error {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return fmt.Errorf("%s is a directory", path)
	}
	if _, err := os.Stat(filepath.Dir(path)); errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s can't be created: there is no directory %s", path, filepath.Dir(path))
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
	if err == nil && path != "" {
		p.line(saved(path, video.Usage))
	}
	p.aside(func() { err = o.tell(cmd, conn, r, path, err) })
	return err
}

// saved says what there is now, and what it has cost.
func saved(path string, usage api.Usage) string {
	text := "saved " + path
	if info, err := os.Stat(path); err == nil {
		text += ", " + size(info.Size())
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
	again := conn.again(r.ID)
	if r.ID != "" && again != "" && !is[*api.FailedError](err) && !errors.Is(err, api.ErrNotFound) {
		if path != "" {
			again += " -o " + shellQuote(path)
			if o.overwrite {
				again += " --overwrite"
			}
		}
		fmt.Fprintln(cmd.ErrOrStderr(), "To go on: "+printable(again))
	}
	if conn.simulate && exitCode(err) == exitRunning {
		fmt.Fprintln(cmd.ErrOrStderr(), "There is no way on: the simulator ends with this command.")
	}
	return toldError{err}
}

// refused tells of a submission that has no job, or none that is certain.
func (o *output) refused(cmd *cobra.Command, conn *connection, err error, seed string) error {
	var r result
	if unknown, ok := errors.AsType[*api.UnknownOutcomeError](err); ok {
		r.ID, r.ClientRequestID = unknown.GenerationID, unknown.ClientRequestID
	} else if rejected, ok := errors.AsType[*api.RejectedError](err); ok {
		r.ClientRequestID = rejected.ClientRequestID
	} else if notSent, ok := errors.AsType[*api.NotSentError](err); ok {
		r.ClientRequestID = notSent.ClientRequestID
	}
	return o.tell(cmd, conn, r, o.path(r.ID, seed), err)
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
