package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/aimlvideo/wan-go/api"
	"github.com/aimlvideo/wan-go/spec/redact"
)

// A finish takes a job from submission to a saved video and a printed result.
type finish struct {
	*console
	*output
	*connection

	journal  *journal
	progress *jobProgress
	seed     string
	accepted bool       // by this process
	several  bool       // one of several generations
	usage    *api.Usage // what the video cost; nil without one
}

// run waits for the job, saves the video and prints the result.
func (f *finish) run(ctx context.Context, job *api.Job) error {
	r := result{ID: job.ID(), ClientRequestID: job.ClientRequestID()}
	path := f.expand(job.ID(), f.seed)
	if !f.accepted && f.isSaved(path) {
		f.progress.line("skipped " + path + ", saved already")
		f.progress.finish()
		r.File = path
		return f.report(r, nil)
	}
	video, err := job.Wait(ctx, api.OnProgress(func(now api.Progress) {
		r.Status = now.Status
		f.progress.wait(now, f.verbose)
	}))
	if err == nil {
		r.setVideo(video)
		f.usage = &video.Usage
		switch {
		case path == "-":
			_, err = video.Download(ctx, f.stdout, api.OnDownload(f.progress.download))
		case path != "":
			if err = f.save(ctx, video, path); err == nil {
				r.File = path
			}
		case f.simulate:
			f.progress.line("the URL ends with the simulator; -o FILE saves the video")
		}
	}
	f.progress.finish()
	return f.report(r, interrupted(ctx, err))
}

func (f *finish) save(ctx context.Context, video *api.Video, path string) error {
	opts := []api.DownloadOption{api.OnDownload(f.progress.download)}
	if !f.overwrite { // it may have been created meanwhile
		opts = append(opts, api.KeepExisting())
	}
	err := video.Save(ctx, path, opts...)
	if errors.Is(err, fs.ErrExist) {
		return &api.DownloadError{GenerationID: video.GenerationID, Err: fmt.Errorf("%s exists; choose another name or use --overwrite", path)}
	}
	if input, ok := errors.AsType[*api.InputError](err); ok { // the generation is paid for, so this is no bad input
		return &api.DownloadError{GenerationID: video.GenerationID, Err: input.Err}
	}
	if err == nil {
		f.progress.line(saved(path, video.Usage, f.simulate))
	}
	return err
}

// saved describes the file and its cost.
func saved(path string, usage api.Usage, simulated bool) string {
	text := "saved " + path
	if info, err := os.Stat(path); err == nil {
		text += ", " + size(info.Size())
	}
	if simulated {
		return text + ", simulated, no charge"
	}
	if usage.Credits != nil {
		text += fmt.Sprintf(", %.0f credits", *usage.Credits)
	}
	if usage.USD != nil {
		text += fmt.Sprintf(", $%.2f", *usage.USD)
	}
	return text
}

// report prints the result and, where the generation may go on, how to resume it.
func (f *finish) report(r result, err error) error {
	f.progress.aside(func() {
		f.journal.add(event{Event: outcomes[exitCode(err)].name, ID: r.ID, ClientRequestID: r.ClientRequestID})
		if err == nil && f.path == "-" {
			return // stdout has the video
		}
		if err == nil {
			r.conclude(nil)
			if err = r.write(f.stdout, f.json, f.several); err == nil {
				return
			}
			err = &acceptedError{fmt.Errorf("print the result: %w", err)}
		} else if f.accepted {
			err = &acceptedError{err}
		}
		err = r.writeError(f.stdout, f.json, err)
		f.printError(err)
		f.printBody(f.stderr, err)
		if is[*api.DownloadError](err) && r.URL != "" {
			fmt.Fprintln(f.stderr, "The video is at "+redact.Printable(r.URL, ""))
		}
		switch {
		case r.ID == "", isOver(err):
		case f.simulate:
			fmt.Fprintln(f.stderr, "The simulator ends with this command, so the generation can't be resumed.")
		default:
			fmt.Fprintln(f.stderr, "To resume: "+f.resume(f.connection, r.ID, f.seed))
		}
		err = &printedError{err}
	})
	return err
}

// isOver reports whether the generation needs no further wait. A submission that got 404 but named a generation does.
func isOver(err error) bool {
	return is[*api.FailedError](err) ||
		errors.Is(err, api.ErrNotFound) && !is[*api.UnknownOutcomeError](err) && !is[*acceptedError](err)
}

// resume is the command that resumes a generation, to be pasted into a shell.
func (o *output) resume(conn *connection, id, seed string) string {
	args := append([]string{"wan", "wait"}, conn.arguments()...)
	if path := o.expand(id, seed); path != "" {
		args = append(args, "-o", path)
		if o.overwrite {
			args = append(args, "--overwrite")
		}
	}
	if strings.HasPrefix(id, "-") {
		args = append(args, "--", id)
	} else {
		args = slices.Insert(args, 2, id)
	}
	return shellLine(args)
}

// shellLine is a command for a shell.
func shellLine(args []string) string {
	words := make([]string, len(args))
	for i, arg := range args {
		words[i] = shellQuote(arg)
	}
	return strings.Join(words, " ")
}

// shellQuote quotes a word for a shell. Characters that a terminal doesn't print become escapes in $'...', which bash,
// zsh and ksh decode.
func shellQuote(word string) string {
	if strings.Trim(word, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-+=:,./@%") == "" && word != "" {
		return word
	}
	if !strings.ContainsFunc(word, func(r rune) bool { return !unicode.IsGraphic(r) || r == unicode.ReplacementChar }) {
		return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
	}
	var b strings.Builder
	for _, c := range []byte(word) {
		switch {
		case c == '\'' || c == '\\':
			b.WriteString(`\` + string(c))
		case c < ' ' || c >= 0x7f:
			fmt.Fprintf(&b, `\x%02x`, c)
		default:
			b.WriteByte(c)
		}
	}
	return "$'" + b.String() + "'"
}

// withTimeout limits a wait; 0 is no limit.
func withTimeout(ctx context.Context, timeout time.Duration) (context.Context, context.CancelFunc) {
	if timeout == 0 {
		return context.WithCancel(ctx)
	}
	return context.WithTimeoutCause(ctx, timeout, fmt.Errorf("--timeout %v has passed", timeout))
}
