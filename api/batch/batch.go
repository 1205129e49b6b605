package batch

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/aimlvideo/wan-go/spec/redact"
)

// A Batch is a set of lines in a database, each to be generated once. It is safe for concurrent use.
type Batch struct {
	store

	id string
}

var idPattern = regexp.MustCompile(`^[A-Za-z0-9._-]{1,32}$`)

// ErrNoBatch reports that the database holds no such batch.
var ErrNoBatch = errors.New("no such batch")

// Create opens a batch and creates it if it doesn't exist. The database is the path of an SQLite file, which one process
// at a time may [Batch.Run], or a postgres:// URL, which any number of processes may. The id names the batch within its
// database and is part of every client request id, so two batches of one account need different ones. Without an id,
// Create opens the only batch of the database, or creates one with a random id. The caller closes the batch.
func Create(ctx context.Context, database, id string) (*Batch, error) {
	return open(ctx, database, id, true)
}

// Open is [Create] for a batch that exists. If it doesn't, the error is [ErrNoBatch].
func Open(ctx context.Context, database, id string) (*Batch, error) {
	return open(ctx, database, id, false)
}

func open(ctx context.Context, database, id string, create bool) (*Batch, error) {
	if id != "" && !idPattern.MatchString(id) {
		return nil, fmt.Errorf("batch: id %.40q: want 1 to 32 characters of A-Z a-z 0-9 . _ -", id)
	}
	s, err := openStore(ctx, database)
	if err != nil {
		return nil, fmt.Errorf("batch: open %s: %w", redact.Password(database), err)
	}
	b := &Batch{store: s}
	if err := b.find(ctx, id, create); err != nil {
		_ = s.db.Close()
		return nil, fmt.Errorf("batch: open %s: %w", redact.Password(database), err)
	}
	return b, nil
}

// find sets the id of the batch, and creates the batch if it may.
func (b *Batch) find(ctx context.Context, id string, create bool) error {
	return b.transact(ctx, func(tx *sql.Tx) error {
		if !b.alone() {
			if err := exec(ctx, tx, `SELECT pg_advisory_xact_lock($1)`, lockKey); err != nil {
				return err
			}
		}
		ids, err := collect(ctx, tx, scanString, `SELECT id FROM batch WHERE $1 = '' OR id = $1 ORDER BY created_at`, id)
		switch {
		case err != nil:
			return err
		case len(ids) == 1:
			b.id = ids[0]
			return nil
		case len(ids) > 1:
			return fmt.Errorf("it holds %d batches, name one: %s", len(ids), strings.Join(ids, ", "))
		case !create:
			return ErrNoBatch
		}
		if b.id = id; b.id == "" {
			b.id = strings.ToLower(rand.Text()[:10])
		}
		return exec(ctx, tx, `INSERT INTO batch (id, created_at) VALUES ($1, $2)`, b.id, nowMillis())
	})
}

// ID returns the id of the batch.
func (b *Batch) ID() string { return b.id }

// Close closes the database. A Run must have returned before.
func (b *Batch) Close() error { return b.db.Close() }
