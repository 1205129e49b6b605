package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
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
}

func (p *place) add(flags *pflag.FlagSet) {
	flags.StringVar(&p.database, "database", os.Getenv("WAN_BATCH_DATABASE"), "postgres `URL` of the ledger, for several processes; batch.db beside the videos if not given")
	flags.StringVar(&p.id, "batch", "", "`ID` of the batch, if the database holds several; a new batch gets it")
}

// create opens the batch of a directory, and creates it if it doesn't exist.
func (p *place) create(ctx context.Context, directory string) (*batch.Batch, error) {
	if p.database != "" {
		return batch.Create(ctx, p.database, p.id)
	}
	if err := os.MkdirAll(directory, 0o777); err != nil { //nolint:gosec // the umask decides
		return nil, &usageError{err}
	}
	return batch.Create(ctx, filepath.Join(directory, ledgerFile), p.id)
}

// open opens the batch of a directory, the working directory if it is empty.
func (p *place) open(ctx context.Context, output string) (*batch.Batch, error) {
	if p.database != "" {
		return batch.Open(ctx, p.database, p.id)
	}
	directory := batch.Directory(template(output))
	file := filepath.Join(directory, ledgerFile)
	if exists(file) {
		return batch.Open(ctx, file, p.id)
	}
	err := fmt.Errorf("no batch in %s: there is no %s", directory, ledgerFile)
	if exists(filepath.Join(directory, simulated, ledgerFile)) {
		err = fmt.Errorf("%w; the simulated one is in %s", err, filepath.Join(directory, simulated))
	}
	return nil, &usageError{err}
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

// simulatedTemplate keeps what is simulated apart.
func simulatedTemplate(template string) string {
	directory := batch.Directory(template)
	file, _ := filepath.Rel(directory, template) // it is below
	return filepath.Join(directory, simulated, file)
}
