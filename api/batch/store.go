package batch

import (
	"cmp"
	"context"
	"database/sql"
	_ "embed"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"time"

	"github.com/gofrs/flock"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/riverdriver/riverdatabasesql"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"github.com/riverqueue/river/rivermigrate"
	_ "modernc.org/sqlite" // the driver "sqlite"
)

// A store is the database. The ledger's SQL is the same for SQLite and Postgres.
type store struct {
	db     *sql.DB
	driver riverdriver.Driver[*sql.Tx]
	path   string // of the SQLite file; empty for Postgres
}

// alone reports whether no other process may run the batches of the database.
func (s store) alone() bool { return s.path != "" }

//go:embed schema.sql
var schema string

func openStore(ctx context.Context, database string) (store, error) {
	if strings.HasPrefix(database, "postgres://") || strings.HasPrefix(database, "postgresql://") {
		return openPostgres(ctx, database)
	}
	// One connection: SQLite has one writer, and waiting in Go is fairer than waiting in SQLite. FULL: a claim survives a
	// power cut before the submission is sent.
	db, err := sql.Open("sqlite", "file:"+(&url.URL{Path: database}).EscapedPath()+
		"?_txlock=immediate&_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=foreign_keys(1)")
	if err != nil {
		return store{}, err
	}
	db.SetMaxOpenConns(1)
	s := store{db: db, driver: riversqlite.New(db), path: database}
	if err := s.migrate(ctx); err != nil {
		_ = db.Close()
		return store{}, err
	}
	return s, nil
}

const lockKey = 0x77616e // "wan"

func openPostgres(ctx context.Context, database string) (store, error) {
	config, err := pgx.ParseConfig(database)
	if err != nil {
		return store{}, errors.New("not a valid postgres URL") // pgx repeats the URL, and with it the password
	}
	config.ConnectTimeout = cmp.Or(config.ConnectTimeout, 10*time.Second) // what accepts may never answer
	db := stdlib.OpenDB(*config)
	db.SetMaxOpenConns(20)
	db.SetMaxIdleConns(20)
	s := store{db: db, driver: riverdatabasesql.New(db)}
	// Processes that migrate at once fail, so they take turns.
	err = func() error {
		conn, err := db.Conn(ctx)
		if err != nil {
			return err
		}
		defer conn.Close()
		if _, err := conn.ExecContext(ctx, `SELECT pg_advisory_lock($1)`, lockKey); err != nil {
			return err
		}
		defer func() {
			late, end := afterwards(ctx)
			defer end()
			_, _ = conn.ExecContext(late, `SELECT pg_advisory_unlock($1)`, lockKey)
		}()
		return s.migrate(ctx)
	}()
	if err != nil {
		_ = db.Close()
		return store{}, err
	}
	return s, nil
}

// migrate creates the tables of River and ours. Each step is one transaction, and what is there is kept.
func (s store) migrate(ctx context.Context) error {
	migrator, err := rivermigrate.New(s.driver, &rivermigrate.Config{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	if _, err := migrator.Migrate(ctx, rivermigrate.DirectionUp, nil); err != nil {
		return err
	}
	return s.transact(ctx, func(tx *sql.Tx) error {
		for statement := range strings.SplitSeq(schema, ";") {
			if err := exec(ctx, tx, statement); err != nil {
				return fmt.Errorf("%w: %.60s", err, statement)
			}
		}
		return nil
	})
}

// lock makes this process the only one that runs the batches of an SQLite file, until unlock or its death.
func (s store) lock() (unlock func(), err error) {
	if !s.alone() {
		return func() {}, nil
	}
	lock := flock.New(s.path + ".lock")
	if ok, err := lock.TryLock(); err != nil || !ok {
		return nil, cmp.Or(err, ErrRunning)
	}
	return func() { _ = lock.Unlock() }, nil
}

// ErrRunning reports that another process runs the batches of this SQLite file.
var ErrRunning = errors.New("another process is running this batch; wait for it, or use Postgres for several processes")

// transact runs f in one transaction, which is on disk when transact returns nil.
func (s store) transact(ctx context.Context, f func(*sql.Tx) error) error {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() //nolint:errcheck // after Commit it does nothing
	if err := f(tx); err != nil {
		return err
	}
	return tx.Commit()
}

// now is the time by which leases and pauses are compared: on Postgres that of the database, since clocks of machines differ.
func (s store) now(ctx context.Context, q querier) (time.Time, error) {
	if s.alone() {
		return time.Now(), nil
	}
	n, err := number(ctx, q, `SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)`)
	return time.UnixMilli(n), err
}

// A querier is a database or a transaction.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
}

func exec(ctx context.Context, q querier, query string, args ...any) error {
	_, err := q.ExecContext(ctx, query, args...)
	return err
}

// changed is exec that reports how many rows were changed.
func changed(ctx context.Context, q querier, query string, args ...any) (int64, error) {
	result, err := q.ExecContext(ctx, query, args...)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

// collect returns all rows of a query.
func collect[T any](ctx context.Context, q querier, scan func(*sql.Rows) (T, error), query string, args ...any) ([]T, error) {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []T
	for rows.Next() {
		value, err := scan(rows)
		if err != nil {
			return nil, err
		}
		all = append(all, value)
	}
	return all, rows.Err()
}

// number returns the only value of a query, which is a number.
func number(ctx context.Context, q querier, query string, args ...any) (n int64, err error) {
	return n, q.QueryRowContext(ctx, query, args...).Scan(&n)
}

func scanString(rows *sql.Rows) (s string, err error) { return s, rows.Scan(&s) }

// Times are stored as milliseconds since 1970, 0 for none, and money as millionths of a dollar, so that sums are exact
// and both databases agree.

func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func nowMillis() int64 { return time.Now().UnixMilli() }

const dollar = 1_000_000
