//go:build unix

package main

import (
	"bytes"
	"database/sql"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/aimlvideo/wan-go/conformance/simulator"
)

// The figures of the README:
//
//	go test ./api/cmd/wan-batch -run TestScale -v -timeout 1h -scale.lines 10000 -scale.flight 10000
//	go test ./api/cmd/wan-batch -run TestScale -v -timeout 1h -scale.lines 50000 -scale.flight 10000 -scale.until 4m
var (
	scaleLines  = flag.Int("scale.lines", 0, "lines of TestScale, which is skipped without it")
	scaleFlight = flag.Int("scale.flight", 10000, "generations in flight of TestScale")
	scaleUntil  = flag.Duration("scale.until", 0, "how long TestScale submits, if not to the end")
	scaleWork   = flag.Int("scale.work", 0, "further processes of TestScale, with WAN_TEST_POSTGRES")
)

// TestScale measures memory, and how late the end of a generation is noticed.
func TestScale(t *testing.T) {
	if *scaleLines == 0 {
		t.Skip("without -scale.lines there is nothing to measure")
	}
	const duration = 2 * time.Minute
	sim := simulator.Start(t, simulator.WithRetention(24*time.Hour), simulator.WithTimeline(simulator.Complete(10*time.Second, duration-10*time.Second)))
	c := &chaos{t: t, sim: sim, directory: filepath.Join(t.TempDir(), "videos")}
	var manifest bytes.Buffer
	for i := range *scaleLines {
		fmt.Fprintf(&manifest, `{"custom_id":"shot-%06d","model":"animate-move","video_url":"https://example.com/%d.mp4","image_url":"https://example.com/hero.png"}`+"\n", i, i)
	}
	c.manifest = filepath.Join(t.TempDir(), "jobs.jsonl")
	if err := os.WriteFile(c.manifest, manifest.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	args := []string{"run", c.manifest, "-o", c.directory, "-q", "--concurrency", fmt.Sprint(*scaleFlight)}
	want := exitDone
	if *scaleUntil > 0 {
		args, want = append(args, "--until", scaleUntil.String()), exitTrouble
	}
	driver, source := "sqlite", filepath.Join(c.directory, ledgerFile)
	var workers []*process
	if database := os.Getenv("WAN_TEST_POSTGRES"); database != "" {
		driver, source = "pgx", database
		place := []string{"--database", database, "--batch", fmt.Sprintf("scale-%x", time.Now().Unix())}
		c.place, args = place, append(args, place...)
	}
	begin := time.Now()
	main := c.start(c.command(args...))
	for range *scaleWork {
		for !c.exists(c.place) {
			time.Sleep(time.Second)
		}
		workers = append(workers, c.start(c.command(append([]string{"work", "-q"}, c.place...)...)))
	}
	if code := main.wait(); code != want {
		t.Errorf("exit code %d: %s", code, &main.output)
	}
	took := time.Since(begin)
	for _, p := range append(workers, main) {
		p.wait()
		t.Logf("process: %d MiB resident at most, %v of CPU", p.ProcessState.SysUsage().(*syscall.Rusage).Maxrss/1024,
			(p.ProcessState.UserTime() + p.ProcessState.SystemTime()).Round(time.Second))
	}
	db, err := sql.Open(driver, source)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	query := "SELECT completed_at - accepted_at FROM generation WHERE state = 'saved'"
	if c.place != nil {
		query += " AND batch_id = '" + c.place[3] + "'"
	}
	rows, err := db.Query(query)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var late []time.Duration
	var sum time.Duration
	for rows.Next() {
		var ms int64
		if err := rows.Scan(&ms); err != nil {
			t.Fatal(err)
		}
		late = append(late, time.Duration(ms)*time.Millisecond-duration)
		sum += late[len(late)-1]
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	if len(late) == 0 || len(late) != *scaleLines && *scaleUntil == 0 {
		t.Fatalf("%d of %d lines saved", len(late), *scaleLines)
	}
	slices.Sort(late)
	t.Logf("%d lines, %d of them saved, %d in flight, %d processes: %v in all; completion noticed after %v on average, %v at the 99th percentile, %v at most",
		*scaleLines, len(late), *scaleFlight, 1+len(workers), took.Round(time.Second), (sum / time.Duration(len(late))).Round(100*time.Millisecond),
		late[len(late)*99/100].Round(100*time.Millisecond), late[len(late)-1].Round(100*time.Millisecond))
}
