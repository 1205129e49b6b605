// Package batch generates thousands of videos, each paid once, whatever dies when. It is what the command wan-batch runs:
//
//	b, err := batch.Create(ctx, "videos/batch.db", "") // or "postgres://..."
//	added, err := b.Add(ctx, slices.Values([]batch.Line{{CustomID: "shot-7", Body: map[string]any{
//		"model": "alibaba/wan2.2-14b-animate-move", "video_url": api.File("dance.mp4"), "image_url": api.File("hero.png"),
//	}}}))
//	err = b.Run(ctx, client, batch.Options{Output: "videos/{custom_id}.mp4", Concurrency: 20})
//	status, err := b.Status(ctx)
//
// # How a line is paid once
//
// The ledger is a table in SQLite or Postgres, and nothing else is the truth about money. A line is claimed in one
// transaction, which keeps the limits and commits the line's client request id, "wan:BATCH:LINE:ATTEMPT". Only then is
// the request sent. The outcome and the alarm of the first poll are one transaction. What a process leaves behind that
// dies in between is unknown: the line counts as spent, the account's logs are searched for its client request id, and it
// is submitted again only if the user says so ([Batch.Resubmit]). A crash leaves about as many unknown lines as
// submissions were under way, at most 8 for each process.
//
// Submissions and saves belong to their process by a lease, which it renews: what a dead process leaves is taken over after
// a minute. River, a job queue, is no more than an alarm clock: it rings when a poll is due. An alarm that rings twice or
// late costs time but no money. On SQLite all alarms are set anew from the ledger at each start; on Postgres, River sets
// those that a dead process was handling again after at most 91 seconds.
//
// # What limits it
//
// At a million lines:
//
//   - Polls are the load. N generations in flight need N/10 polls a second at the longest interval of 10 s. A process
//     plans for 500 a second; beyond that the interval grows with N instead of the delay, so 100,000 in flight are polled
//     every 200 s. More processes on Postgres share the polls, which come no more often.
//   - River writes each poll's next time. On SQLite all writes go through one connection, and each claim and each outcome
//     waits for the disk. On Postgres each process has a pool of connections. A line costs 18 ms of CPU on SQLite, and 6 ms
//     beside the database's own work on Postgres: 5 or 2 hours of a core for a million.
//   - The claim counts what is in flight by index. With a budget it also sums up all lines of the batch, for up to 8 lines
//     that it claims. Split a batch of a million, for example by 100,000 lines.
//   - The API's rate limit comes first: it isn't documented for submissions. At 60 a minute a million lines take 12 days.
//     The logs allow 200 requests a minute of 100 rows each, so a search through a million rows takes 50 minutes: search
//     soon after a crash, which [Batch.Run] does.
//   - Add keeps the lines in memory, about 1 KB each, and hashes each local file once.
package batch
