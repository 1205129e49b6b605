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

// A place is where a batch is: in a file beside its videos, or in a Postgres database.
type place struct {
	database, id string
}

func (p *place) add(flags *pflag.FlagSet) {
	flags.StringVar(&p.database, "database", os.Getenv("WAN_BATCH_DATABASE"), "postgres `URL` of the ledger, for several processes; batch.db beside the videos if not given")
	flags.StringVar(&p.id, "batch", "", "`ID` of the batch, if the database holds several; a new batch gets it")
}

const ledgerFile = "batch.db"

// open opens the batch of a directory.
func (p *place) open(ctx context.Context, directory, file string, create bool) (*batch.Batch, error) {
	database := p.database
	if database == "" {
		database = filepath.Join(directory, file)
		if _, err := os.Stat(database); errors.Is(err, fs.ErrNotExist) && !create {
			return nil, &usageError{fmt.Errorf("no batch in %s: there is no %s", directory, file)}
		}
		if err := os.MkdirAll(directory, 0o777); err != nil { //nolint:gosec // the umask decides
			return nil, &usageError{err}
		}
	}
	if create {
		return batch.Create(ctx, database, p.id)
	}
	return batch.Open(ctx, database, p.id)
}

// openExisting opens the batch that the only argument of a command names.
func (p *place) openExisting(ctx context.Context, args []string) (*batch.Batch, error) {
	directory := "."
	if len(args) > 0 {
		directory = directoryOf(args[0])
	}
	return p.open(ctx, directory, ledgerFile, false)
}

// template makes a path template of what -o is given: a directory, or a template.
func template(output string) string {
	if strings.Contains(output, "{") {
		return output
	}
	return filepath.Join(output, "{custom_id}.mp4")
}

// directoryOf is the directory of what -o is given.
func directoryOf(output string) string { return batch.Directory(template(output)) }
