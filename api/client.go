// Package api is a client for the Wan 2.2 video models of the AI/ML API. It submits a generation, waits for the result
// and saves it. Import it as wan:
//
//	import wan "github.com/aimlvideo/wan-go/api"
//
//	client, err := wan.New() // reads AIML_API_KEY
//	job, err := client.AnimateMove(ctx, animatemove.Request{
//		VideoURL: wan.File("dance.mp4"),
//		ImageURL: wan.URL("https://example.com/hero.png"),
//	})
//	video, err := job.Wait(ctx)
//	err = video.Save(ctx, "out.mp4")
//
// # Money
//
// Every generation costs money. A submission has one of four outcomes: it is accepted and there is a [Job], or the error
// is a [RejectedError], a [NotSentError] or an [UnknownOutcomeError]. The client retries a submission only if it wasn't
// sent, or if the API refused it with status code 429. It never retries a submission of unknown outcome.
//
// A job needs nothing but its id: [Client.Job] resumes it in another process.
//
// # Secrets
//
// The API key goes to the API's own host only, over https or to this machine. Errors and log records never contain it,
// and never the data of a media file. Results are fetched without the key, over https. For your own transport, see
// [WithHTTPClient].
package api

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aimlvideo/wan-go/gen/generation"
	"github.com/aimlvideo/wan-go/spec/redact"
	"github.com/aimlvideo/wan-go/spec/wire"
)

// DefaultBaseURL is the address of the API.
const DefaultBaseURL = wire.DefaultBaseURL

// A Client submits generations and follows them. A program needs one. Safe for concurrent use.
type Client struct {
	config

	http      *http.Client // for the API
	files     *http.Client // for results, which are on other hosts
	pace      pace         // of the polls
	logsPace  throttle
	keyWorked atomic.Bool
	redact    *redact.Redactor

	submitRequest func() (*http.Request, error) // of each submission, without body, id and key

	// A function holds the key, so that no dump of a Client shows it.
	authorize func(*http.Request)
}

// New returns a Client. It reads the API key from AIML_API_KEY or AIMLAPI_API_KEY and the base URL from AIML_API_BASE or
// AIMLAPI_API_BASE unless options set them. It sends nothing. It returns an [*InputError] if the key is missing or an
// option has a value that can't work.
func New(opts ...Option) (*Client, error) {
	c := &Client{config: config{
		key:             wire.Key(),
		baseURL:         cmp.Or(wire.BaseURL(), DefaultBaseURL),
		httpClient:      &http.Client{},
		logger:          slog.New(slog.DiscardHandler),
		maxMedia:        100 << 20,
		maxDownload:     2 << 30,
		retryWindow:     time.Minute,
		firstInterval:   time.Second,
		longestInterval: 10 * time.Second,
	}}
	for _, opt := range opts {
		err := check(opt != nil, "option", "it is nil")
		if err == nil {
			err = opt(&c.config)
		}
		if err != nil {
			return nil, err
		}
	}
	key, err := wire.CheckKey(c.key)
	if err == nil && key == "" {
		err = ErrNoAPIKey
	}
	if err != nil {
		return nil, &InputError{Property: "API key", Err: err}
	}
	base, err := wire.ParseBaseURL(c.baseURL, c.insecureHTTP)
	if err != nil {
		return nil, &InputError{Property: "base URL", Err: errors.New(strings.Replace(err.Error(), "allow insecure http", "WithInsecureHTTP", 1))}
	}
	c.key, c.baseURL = "", base.String()
	c.insecureResults = c.insecureResults || base.Scheme == "http"
	c.redact, c.authorize = redact.New(key), authorizer(key)
	c.submitRequest = sync.OnceValues(func() (*http.Request, error) {
		return generation.NewSubmitGenerationRequestWithBody(c.baseURL+"/", &generation.SubmitGenerationParams{}, "application/json", http.NoBody)
	})
	c.http = withRedirects(c.httpClient, c.checkAPIRedirect)
	c.files = withRedirects(c.httpClient, c.checkFileRedirect)
	if c.httpClient.Transport == nil {
		c.http.Transport, c.files.Transport = quiet(newTransport(), c.redact), newTransport()
	}
	return c, nil
}

func authorizer(key string) func(*http.Request) {
	value := []string{"Bearer " + key}
	return func(r *http.Request) { r.Header["Authorization"] = value }
}

// String returns the address of the API. It keeps %v from printing the rest.
func (c *Client) String() string { return fmt.Sprintf("wan.Client(%s)", c.baseURL) }
