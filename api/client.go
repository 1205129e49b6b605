// Package api is a client for the four Wan 2.2 video models of the AI/ML API. It submits a generation, waits for the
// result and saves it:
//
//	client, err := api.New() // the key comes from AIML_API_KEY
//	job, err := client.AnimateMove(ctx, animatemove.Request{
//		VideoURL: api.File("dance.mp4"),
//		ImageURL: api.URL("https://example.com/hero.png"),
//	})
//	video, err := job.Wait(ctx)
//	err = video.Save(ctx, "out.mp4")
//
// Every generation costs money, so a submission is never sent twice unless it is certain that the first one was not
// accepted: see [RejectedError], [NotSentError] and [UnknownOutcomeError]. A job is nothing but its id: [Client.Job] takes it
// up again in another process.
package api

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"path"
	"strings"
	"time"
)

// DefaultBaseURL is where the API lives.
const DefaultBaseURL = "https://api.aimlapi.com"

// The environment variables that New reads, in this order. They are those of the vendor's own client.
var (
	keyVariables     = []string{"AIML_API_KEY", "AIMLAPI_API_KEY"}
	baseURLVariables = []string{"AIML_API_BASE", "AIMLAPI_API_BASE"}
)

// A Client submits generations and follows them. It is safe for concurrent use, and one is enough for a program.
type Client struct {
	baseURL         string       // without a trailing slash
	http            *http.Client // for the API
	files           *http.Client // for results, which live on other hosts
	logger          *slog.Logger
	maxMedia        int64
	retryWindow     time.Duration
	firstInterval   time.Duration
	longestInterval time.Duration
	plainFiles      bool // results may come over plain HTTP
	pace            pace // of the polls

	// The key is held by these functions only, so that no dump of a Client shows it.
	authorize func(*http.Request)
	redact    func([]byte) []byte
}

// New makes a Client. Without options, the API key is taken from the environment variable AIML_API_KEY or
// AIMLAPI_API_KEY, and the base URL from AIML_API_BASE or AIMLAPI_API_BASE, if one is set. It sends nothing.
//
// The error is an [*InputError] that says what to do.
func New(opts ...Option) (*Client, error) {
	cfg := config{
		key:             environment(keyVariables),
		baseURL:         environment(baseURLVariables),
		httpClient:      &http.Client{Transport: newTransport()},
		logger:          slog.New(slog.DiscardHandler),
		maxMedia:        100 << 20,
		retryWindow:     time.Minute,
		firstInterval:   time.Second,
		longestInterval: 10 * time.Second,
	}
	if cfg.baseURL == "" {
		cfg.baseURL = DefaultBaseURL
	}
	for _, opt := range opts {
		opt.applyToClient(&cfg)
	}
	key, err := checkKey(cfg.key)
	if err != nil {
		return nil, &InputError{Property: "API key", Err: err}
	}
	base, err := parseBaseURL(cfg.baseURL, cfg.insecureHTTP)
	if err != nil {
		return nil, &InputError{Property: "base URL", Err: err}
	}
	if cfg.firstInterval <= 0 || cfg.longestInterval < cfg.firstInterval {
		return nil, &InputError{Property: "poll interval", Err: fmt.Errorf("from %v to %v is no interval", cfg.firstInterval, cfg.longestInterval)}
	}
	c := &Client{
		baseURL:         base.String(),
		logger:          cfg.logger,
		maxMedia:        cfg.maxMedia,
		retryWindow:     cfg.retryWindow,
		firstInterval:   cfg.firstInterval,
		longestInterval: cfg.longestInterval,
		plainFiles:      isLoopback(base.Hostname()) || base.Scheme == "http", // or opted in
		authorize:       authorizer(key),
		redact:          redactor(key),
	}
	c.http = withRedirects(cfg.httpClient, c.checkAPIRedirect)
	c.files = withRedirects(cfg.httpClient, c.checkFileRedirect)
	return c, nil
}

// newTransport is net/http's own but for two settings: many jobs poll one host, and a connection that was idle for
// long may have been closed by the server just when a submission is written to it, whose outcome is then unknown.
func newTransport() *http.Transport {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.MaxIdleConnsPerHost = 64
	t.IdleConnTimeout = 30 * time.Second
	return t
}

func authorizer(key string) func(*http.Request) {
	value := []string{"Bearer " + key}
	return func(r *http.Request) { r.Header["Authorization"] = value }
}

func environment(names []string) string {
	for _, name := range names {
		if value := os.Getenv(name); value != "" {
			return value
		}
	}
	return ""
}

func checkKey(key string) (string, error) {
	key = strings.TrimSpace(key)
	if key == "" {
		return "", ErrNoAPIKey
	}
	for _, r := range key {
		if r <= ' ' || r >= 0x7f {
			return "", errors.New("it holds a space, a line break or another character that no key has; copy it again")
		}
	}
	return key, nil
}

// parseBaseURL accepts what people have at hand: with or without a trailing slash, /v1 or /v2, below any path.
func parseBaseURL(raw string, insecureHTTP bool) (*url.URL, error) {
	u, err := url.Parse(strings.TrimSpace(raw))
	switch {
	case err != nil || u.Hostname() == "" || u.Scheme != "https" && u.Scheme != "http":
		return nil, errors.New("it isn't an http or https URL such as " + DefaultBaseURL)
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return nil, errors.New("it has a user, a query or a fragment; a base URL has none")
	case u.Scheme == "http" && !insecureHTTP && !isLoopback(u.Hostname()):
		return nil, fmt.Errorf("plain http would show the API key to the network between here and %s; use https or WithInsecureHTTP", u.Hostname())
	}
	u.Path = strings.TrimRight(u.Path, "/")
	if version := path.Base(u.Path); version == "v1" || version == "v2" {
		u.Path = strings.TrimRight(strings.TrimSuffix(u.Path, version), "/")
	}
	u.RawPath = ""
	return u, nil
}

func isLoopback(host string) bool {
	return strings.EqualFold(strings.TrimSuffix(host, "."), "localhost") || net.ParseIP(host).IsLoopback()
}

// withRedirects returns a copy of the client that asks check before it follows a redirect.
func withRedirects(client *http.Client, check func(*http.Request, []*http.Request) error) *http.Client {
	c := *client
	c.CheckRedirect = check
	return &c
}

// checkAPIRedirect lets polls be redirected only where the key may go: within the host, and never from https to http.
// Submissions aren't redirected at all. What is refused becomes the answer.
func (c *Client) checkAPIRedirect(next *http.Request, via []*http.Request) error {
	first := via[0]
	sameHost := next.URL.Host == first.URL.Host && (next.URL.Scheme == first.URL.Scheme || next.URL.Scheme == "https")
	if !sameHost || first.Method != http.MethodGet || len(via) >= 5 {
		return http.ErrUseLastResponse
	}
	return nil
}
