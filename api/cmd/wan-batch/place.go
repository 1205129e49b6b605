package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/aimlvideo/wan-go/api/batch"
)

const (
	ledgerFile = "batch.db"
	// simulated is the id of a simulated batch, and its directory below that of the videos.
	simulated = "simulated"
)

// A place is where a batch is: in a file beside its videos, or in a Postgres database.
type place struct {
	database, id string
	output       string // directory or template of the videos
}

// addExisting adds the flags that name a batch which exists.
func (p *place) addExisting(flags *pflag.FlagSet) {
	flags.StringVarP(&p.output, "output", "o", "videos/", "directory or `TEMPLATE` of the batch's videos, as for run; or name the directory first")
	p.add(flags)
}

// take takes the first argument as the directory of the batch if there is one in it, and returns the others.
func (p *place) take(args []string) []string {
	if len(args) == 0 || p.database != "" || findLedger(args[0]) == "" {
		return args
	}
	p.output = args[0]
	return args[1:]
}

// findLedger returns the ledger of a directory, or that of the simulated batch below it if there is no other, or "".
func findLedger(directory string) string {
	for _, file := range []string{filepath.Join(directory, ledgerFile), filepath.Join(directory, simulated, ledgerFile)} {
		if exists(file) {
			return file
		}
	}
	return ""
}

func (p *place) add(flags *pflag.FlagSet) {
	flags.StringVar(&p.database, "database", os.Getenv("WAN_BATCH_DATABASE"), "postgres `URL` of the ledger, for several processes; batch.db beside the videos if not given")
	flags.Lookup("database").DefValue = "" // the help would show the password
	flags.StringVar(&p.id, "batch", "", "`ID` of the batch, if the database holds several")
}

// create opens the batch of a directory, and creates it if it doesn't exist or its ledger was lost.
func (p *place) create(ctx context.Context, directory string, lost bool) (*batch.Batch, error) {
	if p.database != "" {
		return batch.Create(ctx, p.database, p.id)
	}
	for _, file := range []string{batch.ResultsFile, batch.ErrorsFile} {
		if file = filepath.Join(directory, file); !lost && exists(file) && !exists(filepath.Join(directory, ledgerFile)) {
			return nil, &usageError{fmt.Errorf("%s is the result of a batch whose ledger %s is missing: rebuild it with wan-batch recover, so that nothing is paid twice, or use another directory", file, ledgerFile)}
		}
	}
	if err := os.MkdirAll(directory, 0o777); err != nil { //nolint:gosec // the umask decides
		return nil, &usageError{err}
	}
	return batch.Create(ctx, filepath.Join(directory, ledgerFile), p.id)
}

// open opens a batch that exists.
func (p *place) open(ctx context.Context) (*batch.Batch, error) {
	if p.database != "" {
		return batch.Open(ctx, p.database, p.id)
	}
	directory := batch.Directory(template(p.output))
	file := findLedger(directory)
	if file == "" {
		return nil, &usageError{fmt.Errorf("no batch in %s: there is no %s", directory, ledgerFile)}
	}
	return batch.Open(ctx, file, p.id)
}

// openIn opens the batch of the directory that a command's only argument names.
func (p *place) openIn(ctx context.Context, args []string) (*batch.Batch, error) {
	if len(args) > 0 {
		p.output = args[0]
	}
	return p.open(ctx)
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return !errors.Is(err, fs.ErrNotExist)
}

// template makes a path template of what -o is given: a directory, or a template.
func template(output string) string {
	if strings.Contains(output, "{") {
		return output
	}
	return filepath.Join(output, "{custom_id}.mp4")
}

// isOneFile reports whether an output is neither a directory nor a template.
func isOneFile(output string) bool {
	if strings.Contains(output, "{") {
		return false
	}
	info, err := os.Stat(output)
	if err == nil {
		return !info.IsDir()
	}
	return slices.Contains([]string{".mp4", ".m4v", ".mov", ".webm", ".mkv", ".avi", ".ts"}, strings.ToLower(filepath.Ext(output)))
}

// simulatedTemplate keeps what is simulated apart.
func simulatedTemplate(template string) string {
	directory := batch.Directory(template)
	file, _ := filepath.Rel(directory, template) // it is below
	return filepath.Join(directory, simulated, file)
}
