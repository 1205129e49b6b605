package simulator

import (
	"fmt"
	"net/http"
	"strings"
	"time"
)

const maxBalance = 1e9 // in USD

// WithBalance sets the balance of the account in USD. A submission that it doesn't cover gets 403. The default is
// 1,000,000 USD.
func WithBalance(usd float64) Option {
	return func(c *config) error {
		if !(usd >= 0 && usd <= maxBalance) {
			return fmt.Errorf("WithBalance: %v isn't an amount from 0 to 1e9", usd)
		}
		c.balance = credits(usd)
		return nil
	}
}

// WithLogDelay delays the rows of /v2/logs and /v2/billing/transactions after the end of a job. The default is 0.
func WithLogDelay(d time.Duration) Option {
	return func(c *config) error {
		if d < 0 {
			return fmt.Errorf("WithLogDelay: %v is negative", d)
		}
		c.logDelay = d
		return nil
	}
}

// accountRoute returns the handler of a request to an account endpoint.
func (x *exchange) accountRoute(r *http.Request) (Operation, http.HandlerFunc, bool) {
	for _, endpoint := range []struct {
		path      string
		operation Operation
		handler   http.HandlerFunc
	}{
		{"/v2/logs", Logs, x.logs},
		{"/v2/billing", Billing, x.billing},
		{"/v2/billing/transactions", Billing, x.transactions},
		{"/v1/models", Models, x.models},
	} {
		prefix, ok := strings.CutSuffix(r.URL.Path, endpoint.path)
		if !ok {
			continue
		}
		x.prefix = prefix
		if r.Method == http.MethodGet || r.Method == http.MethodHead {
			return endpoint.operation, endpoint.handler, true
		}
		x.Header().Set("Allow", "GET, HEAD")
		return "", x.fail(http.StatusMethodNotAllowed, "Cannot "+r.Method+" "+r.URL.Path), true
	}
	return "", nil, false
}
