package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/aimlvideo/wan-go/gen/account"
	"github.com/aimlvideo/wan-go/spec/redact"
	"github.com/aimlvideo/wan-go/spec/wire"
)

// A FoundSubmission is a submission in the account's logs.
type FoundSubmission struct {
	ClientRequestID string
	// Job resumes the generation.
	Job   *Job
	Model string
	// Failed reports that the generation failed, or the request, if its row hasn't been confirmed. It isn't charged.
	Failed bool
	// Usage is what it cost.
	Usage Usage
	// Created is when the API received the submission.
	Created time.Time
}

// A SubmissionNotFoundError means that the logs have no row for a client request id yet. It proves nothing: rows lag
// behind, and the vendor doesn't say whether a generation has a row before it ends. Look again after the time that a
// generation takes; don't submit again because of it.
type SubmissionNotFoundError struct {
	ClientRequestID string
	// Since and Until are the window that was searched, and Rows is the number of rows in it.
	Since, Until time.Time
	Rows         int
	// Refused counts the rows of failed requests with the id that no poll knows a generation for. The client sends one id
	// with all attempts of a submission, so a later attempt may have been accepted.
	Refused int
}

func (e *SubmissionNotFoundError) Error() string {
	text := fmt.Sprintf("wan: submission %s isn't in the account's logs yet, among %d requests since %s",
		e.ClientRequestID, e.Rows, e.Since.UTC().Format(time.RFC3339))
	if e.Refused > 0 {
		text += fmt.Sprintf(" (%d attempts of it failed without a generation)", e.Refused)
	}
	return text + "; they lag behind, so look again before you submit again"
}

// An AccountError means that the account's logs, ledger, balance or prices couldn't be read. It says nothing about any
// generation.
type AccountError struct {
	// What was to be read, such as "logs".
	What string
	// Err is the reason. If there was a response, it wraps a [*ResponseError].
	Err error
}

func (e *AccountError) Error() string {
	return fmt.Sprintf("wan: reading the account's %s: %v", e.What, e.Err)
}

func (e *AccountError) Unwrap() error { return e.Err }

const (
	// logsInterval keeps a client below the documented 200 requests in 60 seconds.
	logsInterval = 320 * time.Millisecond
	// pageSize is the documented maximum.
	pageSize = 100
	// maxWindow is the longest window of the logs.
	maxWindow = 92 * 24 * time.Hour
	// clockSkew is how far the clocks of this machine and of the API may differ.
	clockSkew = 2 * time.Minute
)

// FindSubmission looks a submission up by its client request id, in the account's logs since a time shortly before it was
// submitted; the zero time means the last 92 days. Use it after an [UnknownOutcomeError]:
//
//	found, err := client.FindSubmission(ctx, unknown.ClientRequestID, submitted)
//	if err == nil {
//		video, err := found.Job.Wait(ctx)
//	}
//
// It returns a [*SubmissionNotFoundError] if there is no row of a generation yet, an [*InputError] if the id isn't one
// that the API keeps, a [*PollError] if it can't be settled whether a failed request has a generation, and otherwise an
// [*AccountError]. It reads the whole window, at most 187 pages of 100 requests a minute.
func (c *Client) FindSubmission(ctx context.Context, clientRequestID string, since time.Time) (*FoundSubmission, error) {
	if !wire.ValidClientRequestID(clientRequestID) {
		return nil, errClientRequestID
	}
	missing := &SubmissionNotFoundError{ClientRequestID: clientRequestID, Since: startOfLogs(since), Until: time.Now()}
	nameless := false
	for found, err := range c.Submissions(ctx, since) {
		if err != nil {
			return nil, err
		}
		missing.Rows++
		if found.ClientRequestID != clientRequestID {
			continue
		}
		if found.Job.id == "" && !found.Failed {
			nameless = true
			continue
		}
		if found.Job.id == "" {
			missing.Refused++
			continue
		}
		if err := found.Confirm(ctx); err == nil {
			return found, nil
		} else if !errors.Is(err, ErrNotFound) {
			return nil, err
		}
		missing.Refused++
	}
	if nameless {
		return nil, &AccountError{"logs", fmt.Errorf("%w: the submission's row names no generation", ErrBadResponse)}
	}
	return nil, missing
}

// startOfLogs returns since, or the start of the longest window if it is zero.
func startOfLogs(since time.Time) time.Time {
	if since.IsZero() {
		return time.Now().Add(-maxWindow + 2*clockSkew)
	}
	return since
}

// Submissions returns the requests in the account's logs since a time, newest first; the zero time means the last 92
// days. It reads a page of 100 when it is needed, at most 187 pages a minute, and ends with an [*AccountError] if one
// can't be read. Requests without a client request id are included. A Job may have no id, or one that lacks the model
// that the generation's id has: see [FoundSubmission.Confirm].
func (c *Client) Submissions(ctx context.Context, since time.Time) iter.Seq2[*FoundSubmission, error] {
	return func(yield func(*FoundSubmission, error) bool) {
		first := startOfLogs(since).Add(-clockSkew)
		for end := time.Now().Add(clockSkew); end.After(first); end = end.Add(-maxWindow) {
			start := end.Add(-maxWindow)
			if start.Before(first) {
				start = first
			}
			for offset := 0; ; {
				page, err := c.logs(ctx, start, end, offset)
				if err != nil {
					yield(nil, err)
					return
				}
				for _, row := range page.Data {
					if !yield(c.found(row), nil) {
						return
					}
				}
				offset += len(page.Data) // a server may send fewer rows than it was asked for
				if !page.Pagination.HasMore {
					break
				}
			}
		}
	}
}

// A logPage is a page of the logs. Members that are missing are nil: a response without rows proves nothing.
type logPage struct {
	Data       []account.LogRow
	Pagination *struct {
		HasMore bool `json:"has_more"`
	}
}

func (c *Client) logs(ctx context.Context, start, end time.Time, offset int) (*logPage, error) {
	if err := c.logsPace.wait(ctx); err != nil {
		return nil, &AccountError{"logs", err}
	}
	request, err := account.NewListLogsRequest(c.baseURL+"/", &account.ListLogsParams{
		Start: new(start.UTC().Format(time.RFC3339)), End: new(end.UTC().Format(time.RFC3339)), Limit: new(pageSize), Offset: &offset,
	})
	page := new(logPage)
	if err := c.account(ctx, "logs", request, err, page); err != nil {
		return nil, err
	}
	if page.Data == nil || page.Pagination == nil || page.Pagination.HasMore && len(page.Data) == 0 {
		return nil, &AccountError{"logs", fmt.Errorf("%w: it has no rows", ErrBadResponse)}
	}
	return page, nil
}

func (c *Client) found(row account.LogRow) *FoundSubmission {
	f := &FoundSubmission{
		Job: c.Job(row.InferenceID), Model: row.Model, Failed: row.Status == "failed", Created: row.Created,
		Usage: Usage{Credits: new(float64(row.Cost.Credits)), USD: new(row.Cost.USD)},
	}
	if row.ClientRequestID != nil {
		f.ClientRequestID = *row.ClientRequestID
		f.Job.requestID = f.ClientRequestID
	}
	return f
}

// Confirm settles by polls which form of the id the generation has, with ":MODEL" behind it or without, and whether it
// failed. It reads what the generation cost from the ledger, which is what moves the balance; if that can't be read, Usage
// remains what the logs say. [Client.FindSubmission] calls it.
//
// It returns a [*PollError] if polls can't settle it, and an [*InputError] if the row has no id. A PollError that wraps
// [ErrNotFound] means that a failed request has no generation: the API refused it. Confirm changes f, so it isn't safe
// for concurrent use.
func (f *FoundSubmission) Confirm(ctx context.Context) error {
	generation, err := f.poll(ctx)
	switch {
	case err == nil:
		f.Failed = generation.Failure != nil
	case f.Failed || ctx.Err() != nil:
		return err
	}
	if !f.Failed {
		f.readCharge(ctx)
	}
	return nil
}

// poll polls both forms of the id until one works, which becomes the id of the Job.
func (f *FoundSubmission) poll(ctx context.Context) (*Generation, error) {
	generation, err := f.Job.Poll(ctx)
	if err == nil {
		return generation, nil
	}
	other, _, cut := strings.Cut(f.Job.id, ":")
	if !cut {
		other += ":" + f.Model
	}
	job := f.Job.client.Job(other)
	generation, otherErr := job.Poll(ctx)
	switch {
	case otherErr == nil:
		job.requestID, f.Job = f.Job.requestID, job
		return generation, nil
	case errors.Is(err, ErrNotFound):
		return nil, otherErr
	}
	return nil, err
}

// readCharge reads what the generation cost. Without an entry in the ledger, the figures of the logs remain.
func (f *FoundSubmission) readCharge(ctx context.Context) {
	c := f.Job.client
	for entry, err := range c.charges(ctx, f.Created) {
		if err != nil {
			c.logger.WarnContext(ctx, "charge not read", "generation", f.Job.id, "error", err)
			return
		}
		if entry.ReferenceID != nil && wire.SameGeneration(*entry.ReferenceID, f.Job.id) {
			f.Usage = Usage{Credits: new(float64(entry.Amount.Credits)), USD: new(entry.Amount.USD)}
			return
		}
	}
}

// charges returns the charges for model usage since a time, newest first.
func (c *Client) charges(ctx context.Context, since time.Time) iter.Seq2[account.Transaction, error] {
	return func(yield func(account.Transaction, error) bool) {
		params := account.ListTransactionsParams{
			From: new(since.Add(-clockSkew).UTC()), Limit: new(pageSize),
			Direction: new(account.ListTransactionsParamsDirection("CHARGE")), Type: new(account.ListTransactionsParamsType("MODEL_USAGE")),
		}
		for {
			request, err := account.NewListTransactionsRequest(c.baseURL+"/", &params)
			var page account.TransactionPage
			if err := c.account(ctx, "ledger", request, err, &page); err != nil {
				yield(account.Transaction{}, err)
				return
			}
			for _, entry := range page.Data {
				if !yield(entry, nil) {
					return
				}
			}
			if params.Cursor = page.Pagination.NextCursor; params.Cursor == nil || len(page.Data) == 0 {
				return
			}
		}
	}
}

// A Balance is what the account has left.
type Balance struct {
	// USD is in US dollars.
	USD float64
	// Currency is the API's word, always "USD" so far.
	Currency string
}

// Balance returns the balance of the account. It returns an [*AccountError] if it can't be read.
func (c *Client) Balance(ctx context.Context) (*Balance, error) {
	request, err := account.NewGetBalanceRequest(c.baseURL + "/")
	var body struct {
		CurrentBalance *float64 `json:"current_balance"`
		Currency       string   `json:"currency"`
	}
	if err := c.account(ctx, "balance", request, err, &body); err != nil {
		return nil, err
	}
	if body.CurrentBalance == nil {
		return nil, &AccountError{"balance", fmt.Errorf("%w: it has no current_balance", ErrBadResponse)}
	}
	return &Balance{*body.CurrentBalance, redact.Line(body.Currency)}, nil
}

// maxReads limits the attempts to read from the account. Reading costs nothing.
const maxReads = 4

// account sends a request of the account and decodes its response. It retries after 429, 5xx and lost responses.
func (c *Client) account(ctx context.Context, what string, request *http.Request, err error, into any) error {
	backoff := wire.Backoff{First: time.Second, Longest: 10 * time.Second}
	for attempt := 1; err == nil; attempt++ {
		var header http.Header
		var body []byte
		if header, body, err = c.get(ctx, request); err == nil {
			err = json.Unmarshal(body, into)
			if _, ok := errors.AsType[*json.UnmarshalTypeError](err); ok { // a member of another type, such as a fraction
				err = nil
			}
			if err != nil {
				err = fmt.Errorf("%w: %w", ErrBadResponse, c.redact.Error(err))
			}
			break
		}
		refusal, ok := errors.AsType[*ResponseError](err)
		if ok && refusal.StatusCode < 500 && refusal.StatusCode != http.StatusTooManyRequests || attempt == maxReads {
			break
		}
		if slept := wire.Sleep(ctx, max(backoff.Next(), wire.RetryAfter(header))); slept != nil {
			err = fmt.Errorf("%w; the last attempt failed: %w", slept, err)
			break
		}
		err = nil
	}
	if err != nil {
		return &AccountError{what, err}
	}
	return nil
}

// A throttle spaces requests out.
type throttle struct {
	mu   sync.Mutex
	next time.Time
}

// wait waits for the caller's turn.
func (t *throttle) wait(ctx context.Context) error {
	t.mu.Lock()
	now := time.Now()
	at := t.next
	if at.Before(now) {
		at = now
	}
	t.next = at.Add(logsInterval)
	t.mu.Unlock()
	return wire.Sleep(ctx, at.Sub(now))
}
