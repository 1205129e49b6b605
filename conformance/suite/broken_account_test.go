package suite_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
)

const logRow = `{"created":"2026-07-0%T03:04:05.000Z","status":"succeeded","origin":"api","model":"m","cost":{"usd":1,"credits":2000000},` +
	`"tokens":{"input":0,"output":0,"total":0},"request_id":"r","inference_id":"i","client_request_id":null}`

// logPage replaces the pages of the logs.
func logPage(pagination string, days ...string) func(http.Handler) http.Handler {
	rows := make([]string, len(days))
	for i, day := range days {
		rows[i] = strings.Replace(logRow, "%", day, 1)
	}
	return onResponse(func(r *http.Request, a *httptest.ResponseRecorder) {
		if r.URL.Path == "/v2/logs" && a.Code == http.StatusOK {
			replaceResponse(a, 200, "application/json", `{"data":[`+strings.Join(rows, ",")+`],"pagination":`+pagination+`}`)
		}
	})
}

// onLogs changes the rows of the logs.
func onLogs(change func(row map[string]any)) func(http.Handler) http.Handler {
	return onResponse(func(r *http.Request, a *httptest.ResponseRecorder) {
		if r.URL.Path == "/v2/logs" {
			edit(a, func(m map[string]any) {
				rows, _ := m["data"].([]any)
				for _, row := range rows {
					change(row.(map[string]any))
				}
			})
		}
	})
}

// brokenAccounts have one fault each in the operations of the account.
var brokenAccounts = []broken{
	{"lists logs without a key", "account/logs/without-key", "", authorized(func(r *http.Request) bool { return r.URL.Path == "/v2/logs" })},
	{"shows the balance without a key", "account/billing/without-key", "", authorized(func(r *http.Request) bool { return r.URL.Path == "/v2/billing" })},
	{"requires a key for models", "account/models/without-key", "", onResponse(func(r *http.Request, a *httptest.ResponseRecorder) {
		if r.URL.Path == "/v1/models" && authorization(r) == "" {
			problem(a, 401, "Unauthorized")
		}
	})},
	{"reduces large limits", "account/logs/limit-101", "", onHeader(func(r *http.Request) {
		r.URL.RawQuery = strings.Replace(r.URL.RawQuery, "limit=101", "limit=100", 1)
	})},
	{"ignores unknown parameters", "account/transactions/unknown-parameter", "", onHeader(func(r *http.Request) {
		r.URL.RawQuery = strings.Replace(r.URL.RawQuery, "page=2", "", 1)
	})},
	{"lists the oldest first", "account/logs/days", "", logPage(`{"limit":50,"offset":0,"total":2,"has_more":false}`, "1", "2")},
	{"ignores the limit", "account/logs/page", "", logPage(`{"limit":1,"offset":1,"total":3,"has_more":false}`, "2", "1")},
	{"ignores the status", "account/logs/failed", "", logPage(`{"limit":50,"offset":0,"total":1,"has_more":false}`, "1")},
	{"always has more", "account/logs/day", "", logPage(`{"limit":50,"offset":0,"total":1,"has_more":true}`, "1")},
	{"sends the balance as a string", "account/billing/balance", "", onResponse(func(r *http.Request, a *httptest.ResponseRecorder) {
		if r.URL.Path == "/v2/billing" {
			edit(a, func(m map[string]any) { m["current_balance"] = "12.50" })
		}
	})},
	{"lists all models", "account/models/price", "", onHeader(func(r *http.Request) {
		if r.URL.Path == "/v1/models" {
			r.URL.RawQuery = ""
		}
	})},
}
