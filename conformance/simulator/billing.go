package simulator

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// A cost is an amount of money, as the account endpoints show it.
type cost struct {
	USD     float64 `json:"usd"`
	Credits int     `json:"credits"`
}

// A transaction is one entry of the ledger at /v2/billing/transactions.
type transaction struct {
	CreatedAt   time.Time `json:"created_at"`
	Direction   string    `json:"direction"`
	Type        string    `json:"type"`
	Amount      cost      `json:"amount"`
	Model       *string   `json:"model"`
	ReferenceID *string   `json:"reference_id"`
}

// billing serves the balance: what was charged has left it, what runs hasn't.
func (x *exchange) billing(w http.ResponseWriter, r *http.Request) {
	if !x.authorized(w, r) {
		return
	}
	balance := x.sim.Ledger().Balance
	x.entry.Note = fmt.Sprintf("%.2f USD", balance)
	x.respondJSON(w, map[string]any{"current_balance": balance, "currency": "USD"})
}

// transactions serves the movements of the balance, newest first.
func (x *exchange) transactions(w http.ResponseWriter, r *http.Request) {
	if !x.authorized(w, r) {
		return
	}
	q, err := parseTransactionsQuery(r.URL.Query())
	if err != nil {
		x.reject(w, http.StatusBadRequest, "Query validation error: "+err.Error())
		return
	}
	entries := slices.DeleteFunc(x.sim.ledgerEntries(), func(t transaction) bool { return !q.matches(t) })
	page := entries[:min(q.limit, len(entries))]
	var next *string
	if len(page) < len(entries) {
		last := page[len(page)-1]
		next = new(cursor{last.CreatedAt, last.reference()}.String())
	}
	x.entry.Note = fmt.Sprintf("%d entries", len(page))
	x.respondJSON(w, map[string]any{"data": page, "pagination": map[string]any{"next_cursor": next, "has_more": next != nil}})
}

// ledgerEntries returns the visible transactions, newest first.
func (s *Simulator) ledgerEntries() []transaction {
	now := s.now()
	s.mu.RLock()
	defer s.mu.RUnlock()
	entries := slices.Clone(s.topUps)
	for _, j := range s.order {
		if at, ok := j.chargedAt(); ok && !at.Add(s.logDelay).After(now) {
			entries = append(entries, transaction{at.UTC(), "CHARGE", "MODEL_USAGE", cost{j.USD, j.Credits}, &j.Model, &j.ID})
		}
	}
	slices.SortStableFunc(entries, transaction.compare)
	return entries
}

// compare sorts newest first.
func (t transaction) compare(other transaction) int {
	return cmp.Or(other.CreatedAt.Compare(t.CreatedAt), strings.Compare(t.reference(), other.reference()))
}

func (t transaction) reference() string {
	if t.ReferenceID == nil {
		return ""
	}
	return *t.ReferenceID
}

// A cursor is the position behind one transaction. Its text is opaque to clients.
type cursor struct {
	Time      time.Time `json:"t"`
	Reference string    `json:"r"`
}

func (c cursor) String() string {
	text, _ := json.Marshal(c)
	return base64.RawURLEncoding.EncodeToString(text)
}

func parseCursor(text string) (c cursor, err error) {
	plain, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || json.Unmarshal(plain, &c) != nil || c.String() != text {
		return c, errors.New("cursor: expected the next_cursor of a response, unchanged")
	}
	return c, nil
}

// A transactionsQuery is the query of /v2/billing/transactions.
type transactionsQuery struct {
	from, to        time.Time
	direction, kind string
	limit           int
	after           *cursor
}

func (q transactionsQuery) matches(t transaction) bool {
	return !t.CreatedAt.Before(q.from) && (q.to.IsZero() || t.CreatedAt.Before(q.to)) &&
		(q.direction == "" || q.direction == t.Direction) && (q.kind == "" || q.kind == t.Type) &&
		(q.after == nil || transaction{CreatedAt: q.after.Time, ReferenceID: &q.after.Reference}.compare(t) < 0)
}

func parseTransactionsQuery(values url.Values) (q transactionsQuery, err error) {
	if err := checkKnown(accountOperation("/v2/billing/transactions"), values); err != nil {
		return q, err
	}
	q.from, _ = time.Parse(time.RFC3339, values.Get("from"))
	q.to, _ = time.Parse(time.RFC3339, values.Get("to"))
	if !q.to.IsZero() && !q.to.After(q.from) {
		return q, errors.New("to: expected a time later than from")
	}
	if values.Has("cursor") {
		c, err := parseCursor(values.Get("cursor"))
		if err != nil {
			return q, err
		}
		q.after = &c
	}
	q.direction, q.kind, q.limit = values.Get("direction"), values.Get("type"), integer(values, "limit", 50)
	return q, nil
}
