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
		switch r.target.send(ctx, c.Request).status {
		case http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusNotImplemented:
			paths = append(paths, c.Request.Path)
		}
	}
	return paths
}

// An accountPage holds what the suite checks of a page of an account operation.
type accountPage struct {
	Data []struct {
		Created   string   `json:"created"`
		CreatedAt string   `json:"created_at"`
		Status    string   `json:"status"`
		Direction string   `json:"direction"`
		Type      string   `json:"type"`
		ID        string   `json:"id"`
		Aliases   []string `json:"aliases"`
		Amount    struct {
			USD float64 `json:"usd"`
		} `json:"amount"`
	} `json:"data"`
	Pagination *struct {
		Offset  int   `json:"offset"`
		Total   *int  `json:"total"`
		HasMore *bool `json:"has_more"`
	} `json:"pagination"`
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
		add("page-size", "the page has %d rows, more than the limit of %d", n, limit)
	}
	if p := page.Pagination; p != nil && p.Total != nil && p.HasMore != nil && *p.HasMore != (p.Offset+len(page.Data) < *p.Total) {
		add("has-more", "has_more is %t after row %d of %d", *p.HasMore, p.Offset+len(page.Data), *p.Total)
	}
	var before time.Time
	for i, row := range page.Data {
		created, err := time.Parse(time.RFC3339, row.Created+row.CreatedAt)
		if err == nil && i > 0 && created.After(before) {
			add("newest-first", "row %d is newer than the one before it", i+1)
			break
		}
		before = created
	}
	for i, row := range page.Data {
		for name, value := range map[string]string{"status": row.Status, "direction": row.Direction, "type": row.Type} {
			if query.Has(name) && !slices.Contains(query[name], value) {
				add("selection", "row %d has the %s %q, which wasn't asked for", i+1, name, value)
			}
		}
		if query.Has("id") && !slices.Contains(append(row.Aliases, row.ID), query.Get("id")) {
			add("selection", "row %d is the model %q, which wasn't asked for", i+1, row.ID)
		}
		if row.Amount.USD < 0 {
			add("amount-sign", "row %d has a negative amount", i+1)
		}
	}
	return problems
}
