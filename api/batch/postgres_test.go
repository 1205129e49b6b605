package batch

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/aimlvideo/wan-go/api"
	"github.com/aimlvideo/wan-go/conformance/simulator"
)

// onPostgres creates a batch of n lines in a schema of its own.
func onPostgres(t *testing.T, n int) *Batch {
	t.Helper()
	t.Parallel()
	database := os.Getenv("WAN_TEST_POSTGRES")
	if database == "" {
		t.Skip("WAN_TEST_POSTGRES isn't set to the URL of a Postgres database, such as postgres://postgres@127.0.0.1:5432/postgres")
	}
	admin, err := sql.Open("pgx", database)
	if err != nil {
		t.Fatal(err)
	}
	schema := strings.ToLower(t.Name())
	for _, statement := range []string{"DROP SCHEMA IF EXISTS " + schema + " CASCADE", "CREATE SCHEMA " + schema} {
		if err := exec(t.Context(), admin, statement); err != nil {
			t.Fatal(err)
		}
	}
	b, err := Create(t.Context(), database+map[bool]string{true: "&", false: "?"}[strings.Contains(database, "?")]+"search_path="+schema, "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = b.Close()
		_ = exec(context.WithoutCancel(t.Context()), admin, "DROP SCHEMA "+schema+" CASCADE")
		_ = admin.Close()
	})
	if _, err := b.Add(t.Context(), slices.Values(lines(n))); err != nil {
		t.Fatal(err)
	}
	return b
}

// waiting returns once a statement waits for a lock on the batch's tables.
func waiting(t *testing.T, b *Batch) {
	t.Helper()
	for {
		n, err := number(t.Context(), b.db, `SELECT COUNT(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE 'UPDATE%' AND pid IN
			(SELECT pid FROM pg_locks WHERE relation IN ('batch'::regclass, 'generation'::regclass))`)
		if err != nil {
			t.Fatal(err)
		}
		if n > 0 {
			return
		}
	}
}

// A claim and a decision about the same line exclude each other.
func TestDecideDuringClaim(t *testing.T) {
	b := onPostgres(t, 1)
	r := process(t, b, nil, "one")
	var decided sync.WaitGroup
	var decision error
	err := b.transact(t.Context(), func(tx *sql.Tx) error {
		if err := b.lockRow(t.Context(), tx); err != nil {
			return err
		}
		var c claimed
		now, err := b.now(t.Context(), tx)
		if err != nil {
			return err
		}
		if err := r.claimSubmissions(t.Context(), tx, &c, 8, now); err != nil || len(c.submit) != 1 {
			return fmt.Errorf("%d claimed, %w", len(c.submit), err)
		}
		decided.Go(func() { _, decision = b.Cancel(t.Context(), "shot-0001") })
		waiting(t, b)
		return nil
	})
	decided.Wait()
	if s := mustStatus(t, b); err != nil || !errors.Is(decision, ErrNoLine) || s.States[Submitting] != 1 {
		t.Errorf("%v, Cancel: %v, %+v", err, decision, s.States)
	}
}

func TestCreateAtOnce(t *testing.T) {
	b := onPostgres(t, 0)
	for range 20 {
		if err := exec(t.Context(), b.db, `DELETE FROM batch`); err != nil {
			t.Fatal(err)
		}
		var processes sync.WaitGroup
		for range 4 {
			processes.Go(func() {
				if err := (&Batch{store: b.store}).find(t.Context(), "", true); err != nil {
					t.Error(err)
				}
			})
		}
		processes.Wait()
		if n, err := number(t.Context(), b.db, `SELECT COUNT(*) FROM batch`); err != nil || n != 1 {
			t.Fatalf("%d batches, %v", n, err)
		}
	}
}

// The ledger is enough to go on, whatever happens to River's tables.
func TestLostAlarms(t *testing.T) {
	b := onPostgres(t, 2)
	sim := simulator.Start(t, simulator.WithTimeline(simulator.Complete(0, 0)))
	client, err := api.New(api.WithBaseURL(sim.URL), api.WithAPIKey(sim.Key), api.WithRetryWindow(0))
	if err != nil {
		t.Fatal(err)
	}
	r := process(t, b, client, "killed")
	for _, line := range r.claims(t).submit {
		r.submit(t.Context(), line)
	}
	if err := exec(t.Context(), b.db, `DELETE FROM river_job WHERE id = (SELECT MIN(id) FROM river_job)`); err != nil {
		t.Fatal(err)
	}
	if err := b.Run(t.Context(), client, Options{Output: output(t.TempDir())}); err != nil {
		t.Fatal(err)
	}
	n, err := number(t.Context(), b.db, `SELECT COUNT(*) FROM river_job`)
	if s := mustStatus(t, b); s.States[Saved] != 2 || sim.Ledger().Created != 2 || err != nil || n != 2 {
		t.Errorf("%+v, %d created, %d alarms, %v", s.States, sim.Ledger().Created, n, err)
	}
}
