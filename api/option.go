package api

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"
)

// An Option configures a [Client]. [New] returns an [*InputError] if an option has a value that can't work.
type Option func(*config) error

type config struct {
	key             string // empty in a Client
	baseURL         string // in a Client without a trailing slash
	insecureHTTP    bool
	httpClient      *http.Client
	logger          *slog.Logger
	maxMedia        int64
	maxDownload     int64
	insecureResults bool // results may come over plain http
	retryWindow     time.Duration
	firstInterval   time.Duration
	longestInterval time.Duration
}

func check(ok bool, property, reason string) error {
	if ok {
		return nil
	}
	return &InputError{Property: property, Err: errors.New(reason)}
}

// WithAPIKey sets the API key and overrides the environment. White space around the key is removed.
func WithAPIKey(key string) Option {
	return func(c *config) error { c.key = key; return nil }
}

// WithBaseURL sets the address of the API, such as a proxy or a simulator. A path is kept, except for /v1 or /v2 at its
// end. The default is the environment's, see [New], or else [DefaultBaseURL].
func WithBaseURL(url string) Option {
	return func(c *config) error { c.baseURL = url; return nil }
}

// WithInsecureHTTP allows a base URL with http:// on other machines. The API key then crosses the network in the clear.
func WithInsecureHTTP() Option {
	return func(c *config) error { c.insecureHTTP = true; return nil }
}

// WithHTTPClient sets the HTTP client for the API and for downloads, such as one with a proxy, with tracing or with the
// validating transport of package conformance. Its redirect policy is replaced. Leave its Timeout at 0: it would bound
// uploads and downloads as a whole, and the Client notices by itself when nothing moves. If its Transport is nil, the
// Client makes its own.
//
// With another Transport, net/http logs the bytes that a server sends behind an HTTP/1 response, which may repeat the API
// key, to the standard logger. DisableKeepAlives prevents this.
//
// Its Transport must not repeat a POST: each repetition may be charged. A submission counts as sent as soon as the
// transport reads from its body, unless the transport returns an error with a method NotSent() bool that returns true.
func WithHTTPClient(client *http.Client) Option {
	return func(c *config) error {
		c.httpClient = client
		return check(client != nil, "HTTP client", "it is nil")
	}
}

// WithLogger makes the Client log accepted submissions (info), retries and failed polls (warn) and polls (debug).
// Records contain ids, statuses and errors, never the API key or media. By default nothing is logged.
func WithLogger(logger *slog.Logger) Option {
	return func(c *config) error {
		c.logger = logger
		return check(logger != nil, "logger", "it is nil")
	}
}

// WithMaxMedia limits the size of each local file or reader, in bytes. The default is 100 MiB; 0 means no limit. A larger
// one is an [*InputError]. The API's own limit isn't documented.
func WithMaxMedia(bytes int64) Option {
	return func(c *config) error {
		c.maxMedia = bytes
		return check(bytes >= 0, "media limit", "it is negative")
	}
}

// WithMaxDownload limits the size of a downloaded video, in bytes. The default is 2 GiB; 0 means no limit. A larger video
// is a [*DownloadError]; its URL is still in [Video.URL].
func WithMaxDownload(bytes int64) Option {
	return func(c *config) error {
		c.maxDownload = bytes
		return check(bytes >= 0, "download limit", "it is negative")
	}
}

// WithInsecureResults allows downloads over plain http, which other backends of the vendor have used. Anyone on the
// network can then read and replace the video. The default is https, or http if the base URL is http.
func WithInsecureResults() Option {
	return func(c *config) error { c.insecureResults = true; return nil }
}

// WithRetryWindow limits the sum of the pauses between attempts of a submission that wasn't sent or was refused with
// status code 429. The default is one minute, in at most five attempts; 0 turns retries off.
func WithRetryWindow(d time.Duration) Option {
	return func(c *config) error {
		c.retryWindow = d
		return check(d >= 0, "retry window", "it is negative")
	}
}

// WithPollInterval sets the interval after the first poll of [Job.Wait] and the longest interval. The defaults are 1 and
// 10 seconds. Intervals have a jitter of a fifth. After status code 429 they are longer for a while, up to about a
// minute.
func WithPollInterval(first, longest time.Duration) Option {
	return func(c *config) error {
		c.firstInterval, c.longestInterval = first, longest
		return check(first > 0 && longest >= first, "poll interval", fmt.Sprintf("from %v to %v isn't an interval", first, longest))
	}
}

// A SubmitOption configures one submission.
type SubmitOption func(*submission)

// WithClientRequestID sets the client request id of the submission, which [Client.FindSubmission] and the account's
// usage logs know it by. It has 1 to 128 characters of A-Z a-z 0-9 . _ : - and must be unique. The default is random.
func WithClientRequestID(id string) SubmitOption {
	return func(s *submission) { s.requestID = id }
}

// WithoutValidation sends a generated request even if it violates its spec, such as one with values of a newer revision of
// the API. Local files are still inspected.
func WithoutValidation() SubmitOption {
	return func(s *submission) { s.unchecked = true }
}

// OnUpload calls f while the submission is sent, with the bytes handed to the network and their total. Calls are
// sequential but come from a goroutine of the transport. None comes after Submit returns. A retry starts again at 0.
func OnUpload(f func(sent, total int64)) SubmitOption {
	return func(s *submission) { s.onUpload = f }
}

// OnRetry calls f before the pause that precedes another attempt of the submission, with the error of the last attempt,
// in the goroutine that submits.
func OnRetry(f func(err error, pause time.Duration)) SubmitOption {
	return func(s *submission) { s.onRetry = f }
}

// A WaitOption configures one [Job.Wait].
type WaitOption func(*waitOptions)

type waitOptions struct{ onProgress func(Progress) }

// OnProgress calls f after each poll, in the goroutine that waits.
func OnProgress(f func(Progress)) WaitOption {
	return func(o *waitOptions) { o.onProgress = f }
}

// A DownloadOption configures one [Video.Save] or [Video.Download].
type DownloadOption func(*download)

// OnDownload calls f while the video arrives, in the goroutine of the download, with the bytes received and their total,
// or -1 if the server doesn't send a length.
func OnDownload(f func(received, total int64)) DownloadOption {
	return func(d *download) { d.onDownload = f }
}

// KeepExisting makes [Video.Save] fail with an error that wraps fs.ErrExist if the file exists, also if it appears
// during the download. By default Save replaces it.
func KeepExisting() DownloadOption {
	return func(d *download) { d.keepExisting = true }
}
