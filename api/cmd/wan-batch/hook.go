package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/kballard/go-shellquote"

	"github.com/aimlvideo/wan-go/api/batch"
	"github.com/aimlvideo/wan-go/spec/redact"
)

var hookPlaceholder = regexp.MustCompile(`\{[a-z_]+\}`)

// newHook returns what runs the command of --exec for a saved video. Without a shell, a replacement is part of one
// argument, whatever is in it; with a shell it is quoted.
func newHook(command string, shell bool, stderr io.Writer) (func(context.Context, batch.Record) error, error) {
	for _, name := range hookPlaceholder.FindAllString(command, -1) {
		if !slices.Contains([]string{"{file}", "{custom_id}", "{id}", "{usd}"}, name) {
			return nil, fmt.Errorf("unknown placeholder %s, want {file}, {custom_id}, {id} or {usd}", name)
		}
	}
	words := []string{"sh", "-c", command}
	if !shell {
		var err error
		if words, err = shellquote.Split(command); err != nil {
			return nil, err
		}
		if len(words) == 0 {
			return nil, errors.New("the command is empty")
		}
		if _, err := exec.LookPath(words[0]); err != nil && !strings.Contains(words[0], "{") {
			return nil, err
		}
	}
	var output sync.Mutex
	return func(ctx context.Context, r batch.Record) error {
		args := slices.Clone(words)
		for i := range args {
			args[i] = fill(args[i], r, shell && i == 2)
		}
		const most = 10 * time.Minute
		ctx, cancel := context.WithTimeout(ctx, most)
		defer cancel()
		cmd := exec.CommandContext(ctx, args[0], args[1:]...) //nolint:gosec // it is the user's own command
		cmd.WaitDelay = time.Second
		separate(cmd)
		var text capped
		cmd.Stdout, cmd.Stderr = &text, &text
		err := cmd.Run()
		output.Lock()
		defer output.Unlock()
		for line := range bytes.Lines(text.Bytes()) {
			fmt.Fprintf(stderr, "[%s] %s\n", redact.Line(r.CustomID), redact.Line(strings.TrimRight(string(line), "\r\n")))
		}
		if err != nil {
			return fmt.Errorf("%s: %w: %s", args[0], err, redact.Line(text.String()))
		}
		return nil
	}, nil
}

// capped keeps the beginning of what a command prints.
type capped struct{ bytes.Buffer }

func (c *capped) Write(p []byte) (int, error) {
	const most = 64 << 10
	_, _ = c.Buffer.Write(p[:min(len(p), most-c.Len())])
	return len(p), nil
}

// fill replaces the placeholders in one pass, so that a value which looks like one stays.
func fill(word string, r batch.Record, quote bool) string {
	values := map[string]string{"{file}": r.File, "{custom_id}": r.CustomID}
	if r.USD != nil {
		values["{usd}"] = strconv.FormatFloat(*r.USD, 'f', -1, 64)
	}
	if r.Response != nil {
		values["{id}"] = r.Response.RequestID
	}
	return hookPlaceholder.ReplaceAllStringFunc(word, func(name string) string {
		if quote {
			return shellquote.Join(values[name])
		}
		return values[name]
	})
}
