package simulator

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aimlvideo/wan-go/spec/wire"
)

// A logRow is one request in the logs.
type logRow struct {
	Created time.Time `json:"created"`
	Status  string    `json:"status"`
	Origin  string    `json:"origin"`
	Model   string    `json:"model"`
	Cost    cost      `json:"cost"`
	Tokens  struct {
		Input  int `json:"input"`
		Output int `json:"output"`
		Total  int `json:"total"`
	} `json:"tokens"`
	RequestID       *string `json:"request_id"`
	InferenceID     string  `json:"inference_id"`
	ClientRequestID *string `json:"client_request_id"`

	key   keyID
	ended time.Time // when the outcome was known
}

// maxRejected caps the rows of rejected submissions.
const maxRejected = 10_000

// logs serves the requests of the key, newest first. A running job has no row: the only outcomes are succeeded and failed.
func (x *exchange) logs(w http.ResponseWriter, r *http.Request) {
	if !x.authorized(w, r) {
		return
	}
	now, key := x.sim.now(), wire.BearerKey(r.Header)
	if !x.sim.allowLogs(key, now) {
		x.reject(w, http.StatusTooManyRequests, "Too many requests: at most 200 in 60 seconds")
		return
	}
	q, err := parseLogsQuery(r.URL.Query(), now)
	if err != nil {
		x.reject(w, http.StatusBadRequest, "Query validation error: "+err.Error())
		return
	}
	rows, foreign := x.sim.logRows(newKeyID(key), q.keyPrefix, now)
	if q.keyPrefix != "" && !strings.HasPrefix(key, q.keyPrefix) {
		if foreign {
			x.reject(w, http.StatusForbidden, "Listing the requests of another key requires a management key")
		} else {
			x.reject(w, http.StatusNotFound, "No key has this prefix")
		}
		return
	}
	rows = slices.DeleteFunc(rows, func(row logRow) bool { return !q.matches(row) })
	start := min(q.offset, len(rows))
	page := rows[start:min(start+q.limit, len(rows))]
	x.entry.Note = fmt.Sprintf("%d of %d rows", len(page), len(rows))
	x.respondJSON(w, map[string]any{"data": page, "pagination": map[string]any{
		"limit": q.limit, "offset": q.offset, "total": len(rows), "has_more": start+len(page) < len(rows),
	}})
}

// allowLogs applies the documented limit of 200 requests in 60 seconds.
func (s *Simulator) allowLogs(key string, now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	recent := slices.DeleteFunc(s.logRequests[key], func(t time.Time) bool { return now.Sub(t) >= time.Minute })
	allowed := len(recent) < 200
	if allowed {
		recent = append(recent, now)
	}
	s.logRequests[key] = recent
	return allowed
}

// logRows returns the rows of a key, newest first, and whether a different key has the prefix.
func (s *Simulator) logRows(key keyID, prefix string, now time.Time) (rows []logRow, foreign bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	rows = []logRow{} // [] in JSON if empty
	add := func(row logRow) {
		foreign = foreign || row.key != key && strings.HasPrefix(row.key.Prefix, prefix)
		if row.key == key && !row.ended.Add(s.logDelay).After(now) {
			rows = append(rows, row)
		}
	}
	for _, row := range s.rejected {
		add(row)
	}
	for _, j := range s.order {
		add(j.logRow())
	}
	slices.SortStableFunc(rows, func(a, b logRow) int { return b.Created.Compare(a.Created) })
	return rows, foreign
}

// logRow returns the row of a job once it has ended.
func (j *job) logRow() logRow {
	row := logRow{
		Created: j.Created.UTC(), Status: "failed", Origin: "api", Model: j.Model, RequestID: &j.HTTPID,
		InferenceID: j.ID, key: j.Key, ended: j.Created.Add(Timeline(j.Timeline).duration()),
	}
	if j.ClientRequestID != "" {
		row.ClientRequestID = &j.ClientRequestID
	}
	if at, ok := j.chargedAt(); ok {
		row.Status, row.Cost, row.ended = "succeeded", cost{j.USD, j.Credits}, at
	} else if j.Timeline[len(j.Timeline)-1].Status != "error" { // never ends
		row.ended = j.Created.AddDate(100, 0, 0)
	}
	return row
}

// A logsQuery is the query of /v2/logs.
type logsQuery struct {
	start, end       time.Time
	limit, offset    int
	models, statuses []string
	keyPrefix        string
}

func (q logsQuery) matches(row logRow) bool {
	return !row.Created.Before(q.start) && !row.Created.After(q.end) &&
		(q.statuses == nil || slices.Contains(q.statuses, row.Status)) &&
		(q.models == nil || slices.ContainsFunc(q.models, func(m string) bool {
			return m == row.Model || m == row.Model[strings.LastIndex(row.Model, "/")+1:]
		}))
}

// maxWindow is the documented limit.
const maxWindow = 92 * 24 * time.Hour

func parseLogsQuery(values url.Values, now time.Time) (q logsQuery, err error) {
	if err := checkQuery(accountOperation("/v2/logs"), values); err != nil {
		return q, err
	}
	period, start, end := values.Get("period"), values.Get("start"), values.Get("end")
	switch {
	case period != "" && (start != "" || end != ""), period == "" && (start == "" || end == ""):
		return q, errors.New("expected either period or both start and end")
	case period != "":
		unit := map[byte]time.Duration{'h': time.Hour, 'd': 24 * time.Hour}[period[len(period)-1]]
		n, err := strconv.Atoi(period[:len(period)-1])
		if err != nil || n > int(maxWindow/unit) {
			return q, errors.New("period: expected at most 92 days")
		}
		q.start, q.end = now.Add(-time.Duration(n)*unit), now
	default:
		if q.start, err = parseTime(start); err != nil {
			return q, fmt.Errorf("start: %w", err)
		}
		if q.end, err = parseTime(end); err != nil {
			return q, fmt.Errorf("end: %w", err)
		}
		if q.end.Before(q.start) || q.end.Sub(q.start) > maxWindow {
			return q, errors.New("end: expected a time from start to 92 days after it")
		}
	}
	q.limit, q.offset = integer(values, "limit", 50), integer(values, "offset", 0)
	q.models, q.statuses, q.keyPrefix = values["model"], values["status"], values.Get("key_prefix")
	return q, nil
}
