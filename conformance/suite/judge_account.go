package suite

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/aimlvideo/wan-go/conformance"
	"github.com/aimlvideo/wan-go/spec"
	"github.com/aimlvideo/wan-go/spec/wire"
)

// noAccount is why the cases of an account operation aren't applicable.
const noAccount = "the target doesn't have this operation"

// accountOperation returns the spec of the account's operation that the request reaches, or nil.
func (r request) accountOperation() *spec.Document {
	operations := spec.Account()
	if i := slices.IndexFunc(operations, func(d *spec.Document) bool { return d.Path == r.Path && d.Method == r.Method }); i >= 0 {
		return operations[i]
	}
	return nil
}

// missingAccount returns the paths of the account operations that the target doesn't have.
func (r *run) missingAccount(ctx context.Context) (paths []string) {
	probed := map[string]bool{}
	for _, c := range r.cases {
		if c.Group != groupAccount || !c.Accepted || probed[c.Request.Path] {
			continue
		}
		probed[c.Request.Path] = true
		if isMissing(r.target.send(ctx, c.Request)) {
			paths = append(paths, c.Request.Path)
		}
	}
	return paths
}

// An accountPage holds what the suite checks of a page of an account operation.
type accountPage struct {
	Data       []accountRow `json:"data"`
	Pagination *struct {
		Offset  int   `json:"offset"`
		Total   *int  `json:"total"`
		HasMore *bool `json:"has_more"`
	} `json:"pagination"`
}

type accountRow struct {
	Created         string   `json:"created"`
	CreatedAt       string   `json:"created_at"`
	Status          string   `json:"status"`
	Direction       string   `json:"direction"`
	Type            string   `json:"type"`
	ID              string   `json:"id"`
	Aliases         []string `json:"aliases"`
	ClientRequestID string   `json:"client_request_id"`
	InferenceID     string   `json:"inference_id"`
	Amount          struct {
		USD float64 `json:"usd"`
	} `json:"amount"`
}

// judgeAccount checks the response of an account operation against its spec, and what the schema can't express.
func (t *target) judgeAccount(d *spec.Document, x *call) (problems []problem) {
	x.findings = append(x.findings, conformance.CheckResponse(d, x.status, x.body)...)
	var page accountPage
	if !x.accepted() || json.Unmarshal(x.body, &page) != nil {
		return nil
	}
	add := func(rule, format string, args ...any) {
		problems = append(problems, problem{rule, fmt.Sprintf(format, args...)})
	}
	query, _ := url.ParseQuery(x.request.Query)
	limit, err := strconv.Atoi(query.Get("limit"))
	if err != nil {
		limit = 50
	}
	if n := len(page.Data); page.Pagination != nil && n > limit {
		add("page-size", "expected at most %d rows; received %d", limit, n)
	}
	if p := page.Pagination; p != nil && p.Total != nil && p.HasMore != nil && *p.HasMore != (p.Offset+len(page.Data) < *p.Total) {
		add("has-more", "expected has_more %t after row %d of %d; received %t", !*p.HasMore, p.Offset+len(page.Data), *p.Total, *p.HasMore)
	}
	var before time.Time
	for i, row := range page.Data {
		created, err := time.Parse(time.RFC3339, row.Created+row.CreatedAt)
		if err == nil && i > 0 && created.After(before) {
			add("newest-first", "expected the newest row first; received row %d, which is newer than the one before it", i+1)
			break
		}
		before = created
	}
	for i, row := range page.Data {
		for name, value := range map[string]string{"status": row.Status, "direction": row.Direction, "type": row.Type} {
			if query.Has(name) && !slices.Contains(query[name], value) {
				add("selection", "expected rows with a requested %s only; received %q in row %d", name, value, i+1)
			}
		}
		if query.Has("id") && !slices.Contains(append(row.Aliases, row.ID), query.Get("id")) {
			add("selection", "expected only the requested model; received %q in row %d", row.ID, i+1)
		}
		if row.Amount.USD < 0 {
			add("amount-sign", "expected a positive amount; received %v in row %d", row.Amount.USD, i+1)
		}
	}
	return problems
}

const (
	maxLogPages = 100
	maxLogLag   = 3 * time.Second
)

// logged returns the page of the logs with the submission, or the last page without it. A row may come late.
func logged(ctx context.Context, o *observation) (calls []*call, reason string) {
	if o.end() == nil {
		return nil, "no final status was seen"
	}
	for start := time.Now(); ; {
		c, found := o.findLog(ctx)
		switch {
		case isMissing(c):
			return nil, noAccount
		case found, time.Since(start) >= maxLogLag, wire.Sleep(ctx, time.Second) != nil:
			return []*call{c}, ""
		}
	}
}

// findLog pages through the logs of the model, newest first.
func (o *observation) findLog(ctx context.Context) (c *call, found bool) {
	query := url.Values{"period": {"24h"}, "limit": {"100"}, "model": {o.document.Model}, "status": {"succeeded"}}
	if o.end().response.Status == "error" {
		query.Set("status", "failed")
	}
	for page := range maxLogPages {
		query.Set("offset", fmt.Sprint(100*page))
		c = o.target.send(ctx, request{Method: http.MethodGet, Path: "/v2/logs", Query: query.Encode()})
		p := decodePage(c)
		if p.row(o.requestID) != nil {
			return c, true
		}
		if p.Pagination == nil || p.Pagination.HasMore == nil || !*p.Pagination.HasMore {
			break
		}
	}
	return c, false
}

func decodePage(c *call) (p accountPage) {
	_ = json.Unmarshal(c.body, &p)
	return p
}

// row returns the row with a client request id, or nil.
func (p accountPage) row(requestID string) *accountRow {
	if i := slices.IndexFunc(p.Data, func(row accountRow) bool { return row.ClientRequestID == requestID }); i >= 0 {
		return &p.Data[i]
	}
	return nil
}

// isLogged checks the submission's row in the logs.
func isLogged(o *observation, c *call) []problem {
	row := decodePage(c).row(o.requestID)
	switch {
	case !c.accepted():
		return because("expected the logs; received %s", c.outcome())
	case row == nil:
		return because("expected a row with the client request id %q in the logs; received none", o.requestID)
	case !wire.SameGeneration(row.InferenceID, o.id):
		return because("expected the inference id of %q in the row of its client request id; received %q", o.id, row.InferenceID)
	}
	return nil
}

// isMissing reports whether the target doesn't have the operation.
func isMissing(c *call) bool {
	return slices.Contains([]int{http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusNotImplemented}, c.status)
}
