package batch

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"strings"
)

// output returns the template that the last run has set.
func (b *Batch) output(ctx context.Context) (string, error) {
	all, err := collect(ctx, b.db, scanString, `SELECT output FROM batch WHERE id = $1`, b.id)
	if err != nil {
		return "", err
	}
	if len(all) == 0 || all[0] == "" {
		return "", fmt.Errorf("batch %s hasn't been run yet", b.id)
	}
	return all[0], nil
}

// checkOutput refuses lines that would share a file, and files of others, before anything is paid.
func (r *run) checkOutput(ctx context.Context) error {
	rows, err := collect(ctx, r.batch.db, func(rows *sql.Rows) (line row, err error) {
		return line, rows.Scan(&line.line, &line.customID, &line.state)
	}, `SELECT line, custom_id, state FROM generation WHERE batch_id = $1 ORDER BY line`, r.batch.id)
	if err != nil {
		return err
	}
	seen := make(map[string]string, len(rows))
	var problems []string
	for _, line := range rows {
		path := r.path(line)
		name := strings.ToLower(path) // some file systems don't distinguish case
		if safeName(line.customID) == "" {
			problems = append(problems, fmt.Sprintf("custom_id %q can't be a file name", line.customID))
		} else if other, ok := seen[name]; ok {
			problems = append(problems, fmt.Sprintf("%s and %s would both be saved as %s", other, line.customID, path))
		} else if line.state == Pending && !r.join {
			if _, err := os.Lstat(path); err == nil {
				problems = append(problems, fmt.Sprintf("%s exists but line %s hasn't been submitted", path, line.customID))
			}
		}
		seen[name] = line.customID
	}
	if problems != nil {
		return &OutputError{problems}
	}
	return nil
}

// An OutputError reports videos that would overwrite each other, or files of others. Nothing was submitted.
type OutputError struct{ Problems []string }

func (e *OutputError) Error() string { return "output: " + strings.Join(e.Problems, "; ") }

// price estimates what pending lines cost, if there is a limit to keep.
func (r *run) price(ctx context.Context) error {
	if r.maxUSD == 0 || r.join {
		return nil
	}
	rows, err := r.batch.rows(ctx, r.batch.db, `state = 'pending' AND price = 0 ORDER BY line`)
	if err != nil {
		return err
	}
	type priced struct{ line, price int64 }
	var prices []priced
	for _, line := range rows {
		body, err := decodeBody(line.body)
		if err != nil {
			continue // it will be rejected without being sent
		}
		usd, err := r.estimate(ctx, body)
		if err != nil {
			return fmt.Errorf("line %s: %w: %w", line.customID, errNoEstimate, err)
		}
		prices = append(prices, priced{line.line, toMicros(usd)})
	}
	return r.batch.transact(ctx, func(tx *sql.Tx) error {
		for _, p := range prices {
			if err := exec(ctx, tx, `UPDATE generation SET price = $3 WHERE batch_id = $1 AND line = $2`, r.batch.id, p.line, p.price); err != nil {
				return err
			}
		}
		return nil
	})
}

func (r *run) estimateByClient(ctx context.Context, body map[string]any) (float64, error) {
	estimate, err := r.client.Estimate(ctx, body)
	if err != nil {
		return 0, err
	}
	if estimate.USD == nil {
		return 0, errors.New(estimate.Reason)
	}
	return *estimate.USD, nil
}
