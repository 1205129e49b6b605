package api

import (
	"log/slog"
	"net/http"
	"time"
)

// An Option configures a Client.
type Option interface {
	applyToClient(c *config)
}

type config struct {
	key             string
	baseURL         string
	insecureHTTP    bool
	httpClient      *http.Client
	logger          *slog.Logger
	maxMedia        int64
	retryWindow     time.Duration
	firstInterval   time.Duration
	longestInterval time.Duration
}

type option func(*config)

func (o option) applyToClient(c *config) { o(c) }

// WithAPIKey sets the API key, whatever the environment says. White space around it is cut off.
func WithAPIKey(key string) Option { return option(func(c *config) { c.key = key }) }

// WithBaseURL sets where the API is reached, such as a proxy or a simulator. A path is kept, but for a /v1 or /v2 at
// its end. The default is that of the environment, see [New], and else [DefaultBaseURL].
func WithBaseURL(url string) Option { return option(func(c *config) { c.baseURL = url }) }

// WithInsecureHTTP allows a base URL that begins with http:// on hosts other than this one. The API key then crosses
// the network in the clear, and videos may, too: their URLs have to be https only where that of the API is.
func WithInsecureHTTP() Option { return option(func(c *config) { c.insecureHTTP = true }) }

// WithHTTPClient sets the HTTP client for the API and for downloads, for example one with a proxy, with tracing or with
// the validating transport of package conformance. Its redirect policy is replaced. Its Timeout, if any, bounds each
// request including the upload of local files and each piece of a download; better leave it at 0, since the Client
// notices by itself when nothing moves any more.
//
// Its Transport must not repeat a POST by itself, as some do after errors: each repetition may be charged. A submission
// counts as sent as soon as the transport has read from its body, unless the transport speaks to net/http/httptrace and
// says otherwise, or returns an error with a method NotSent() bool that returns true.
func WithHTTPClient(client *http.Client) Option {
	return option(func(c *config) {
		if client != nil {
			c.httpClient = client
		}
	})
}

// WithLogger makes the Client log accepted submissions (info), trouble that it deals with by itself (warn) and polls
// (debug). Records hold ids, statuses and errors, never the API key and never media. Nothing is logged by default.
func WithLogger(logger *slog.Logger) Option {
	return option(func(c *config) {
		if logger != nil {
			c.logger = logger
		}
	})
}

// WithMaxMedia caps the size of each local file or reader, in bytes. The default is 100 MiB; 0 is no cap. What the API
// itself takes isn't documented.
func WithMaxMedia(bytes int64) Option { return option(func(c *config) { c.maxMedia = bytes }) }

// WithRetryWindow sets how long the pauses may be in all between the attempts of a submission that wasn't sent or was
// answered 429; the time of the attempts themselves isn't counted. The default is one minute, in at most five attempts,
// the first included; 0 turns it off. Submissions of unknown outcome are never tried again.
func WithRetryWindow(d time.Duration) Option { return option(func(c *config) { c.retryWindow = d }) }

// WithPollInterval sets how long [Job.Wait] waits after the first poll and how far the interval grows. The defaults are
// 1 and 10 seconds. Up to a fifth is added or taken away by chance. After answers 429 it becomes longer for a while, up
// to about a minute.
func WithPollInterval(first, longest time.Duration) Option {
	return option(func(c *config) { c.firstInterval, c.longestInterval = first, longest })
}

// A SubmitOption configures one submission.
type SubmitOption interface {
	applyToSubmission(s *submission)
}

type submitOption func(*submission)

func (o submitOption) applyToSubmission(s *submission) { o(s) }

// WithClientRequestID sets the client request id of the submission, with which its fate can be looked up in the
// account's usage logs. It has 1 to 128 characters of A-Z a-z 0-9 . _ : - and should be unique. Without it the Client makes one up.
func WithClientRequestID(id string) SubmitOption {
	return submitOption(func(s *submission) { s.requestID = id })
}

// OnUpload has f called while the submission is sent, with the bytes that have been handed to the network and those that
// there are in all. The calls come one after the other, but from a goroutine of the transport, and none comes after
// Submit has returned, which waits for the one under way. When a submission is tried again, they begin anew.
func OnUpload(f func(sent, total int64)) SubmitOption {
	return submitOption(func(s *submission) { s.onUpload = f })
}

// A WaitOption configures one [Job.Wait].
type WaitOption interface {
	applyToWait(w *wait)
}

type waitOption func(*wait)

func (o waitOption) applyToWait(w *wait) { o(w) }

// OnProgress has f called with what each poll has told, the last one included, in the goroutine that waits and before it
// goes on.
func OnProgress(f func(Progress)) WaitOption {
	return waitOption(func(w *wait) { w.onProgress = f })
}

// A DownloadOption configures one [Video.Save] or [Video.Download].
type DownloadOption interface {
	applyToDownload(d *download)
}

type downloadOption func(*download)

func (o downloadOption) applyToDownload(d *download) { o(d) }

// OnDownload has f called while the video arrives, in the goroutine of the download, with the bytes that are there and
// those that there are in all, or -1 where the server doesn't say.
func OnDownload(f func(received, total int64)) DownloadOption {
	return downloadOption(func(d *download) { d.onDownload = f })
}
