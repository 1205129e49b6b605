package suite_test

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
)

// brokenResponses accept and reject correctly: one fault each in responses or in the lifecycle.
var brokenResponses = []broken{
	// Responses to submissions, and headers.
	{"sends an empty body", "animate-move/only-required", "", on(is(http.MethodPost), 200, "application/json", "")},
	{"sends no status", "animate-move/only-required", "", onMembers("POST", 200, func(m map[string]any) { delete(m, "status") })},
	{"sends no id", "animate-move/lifecycle/submission-response", "", onMembers("POST", 200, func(m map[string]any) { delete(m, "id") })},
	{"sends a number as the id", "animate-move/only-required", "", onMembers("POST", 200, func(m map[string]any) { m["id"] = 4711 })},
	{"sends garbage after the body", "animate-move/only-required", "", onResponse(func(r *http.Request, a *httptest.ResponseRecorder) { a.Body.WriteString("}") })},
	{"sends a member twice", "animate-move/only-required", "", onResponse(func(r *http.Request, a *httptest.ResponseRecorder) {
		a.Body = bytes.NewBufferString(strings.Replace(a.Body.String(), "{", `{"status":"queued",`, 1))
	})},
	{"is completed at submission", "animate-move/lifecycle/submission-response", "", onMembers("POST", 200, func(m map[string]any) {
		m["status"], m["video"] = "completed", map[string]any{"url": "https://example.com/v.mp4"}
	})},
	{"has one id for all", "submissions/every-id-is-new", "|^animate-move/(only-required|everything)$", onMembers("POST", 200, func(m map[string]any) { m["id"] = "the-only-id" })},
	{"responds as text/plain", "animate-move/headers/content-type", "", onResponse(func(r *http.Request, a *httptest.ResponseRecorder) {
		if a.Code == http.StatusOK {
			a.Header().Set("Content-Type", "text/plain")
		}
	})},
	{"has another x-inference-id", "animate-move/headers/inference-id", "", onResponse(func(r *http.Request, a *httptest.ResponseRecorder) {
		id, _, _ := strings.Cut(a.Header().Get("X-Inference-Id"), ":")
		a.Header().Set("X-Inference-Id", id)
	})},
	{"echoes no request id", "animate-move/headers/client-request-id", "", withoutHeader("X-Client-Request-Id")},
	{"echoes no request id of polls", "animate-move/headers/client-request-id-of-a-poll", "", withoutHeader("X-Client-Request-Id")},
	{"echoes request ids in lower case", "animate-move/headers/client-request-id-with-all-characters", "", onResponse(func(r *http.Request, a *httptest.ResponseRecorder) {
		a.Header().Set("X-Client-Request-Id", strings.ToLower(a.Header().Get("X-Client-Request-Id")))
	})},
	{"echoes any request id", "animate-move/headers/client-request-id-with-a-space", "", onResponse(func(r *http.Request, a *httptest.ResponseRecorder) {
		a.Header().Set("X-Client-Request-Id", r.Header.Get("X-Client-Request-Id"))
	})},
	{"cuts request ids", "animate-move/headers/client-request-id-of-128", "", onResponse(func(r *http.Request, a *httptest.ResponseRecorder) {
		id := a.Header().Get("X-Client-Request-Id")
		a.Header().Set("X-Client-Request-Id", id[:min(64, len(id))])
	})},
	{"has another cost in its header", "animate-move/headers/cost-as-in-the-body", "", onResponse(func(r *http.Request, a *httptest.ResponseRecorder) {
		if a.Header().Get("X-Aimlapi-Usd-Spent") != "" {
			a.Header().Set("X-Aimlapi-Usd-Spent", "2.10")
		}
	})},

	{"echoes the request id of another request", "animate-move/headers/client-request-id", "|^[a-z-]+/headers/client-request-id$", func(next http.Handler) http.Handler {
		var mu sync.Mutex
		var seen []string
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if own := r.Header.Get("X-Client-Request-Id"); r.Method == http.MethodPost && own != "" {
				mu.Lock()
				seen = append(seen, own)
				mu.Unlock()
				time.Sleep(time.Millisecond) // of the bubble: others arrive
				mu.Lock()
				defer mu.Unlock()
				if i := slices.IndexFunc(seen, func(id string) bool { return id != own }); i >= 0 {
					r.Header.Set("X-Client-Request-Id", seen[i])
				}
			}
			next.ServeHTTP(w, r)
		})
	}},
	{"compresses what nobody can decompress", "animate-move/only-required", "", onResponse(func(_ *http.Request, a *httptest.ResponseRecorder) {
		a.Header().Set("Content-Encoding", "br")
		a.Body = bytes.NewBufferString("\x0b\x02\x80")
	})},
	{"begins with a byte order mark", "animate-move/only-required", "", onResponse(func(_ *http.Request, a *httptest.ResponseRecorder) {
		a.Body = bytes.NewBufferString("\ufeff" + a.Body.String())
	})},
	{"sends null", "animate-move/only-required", "", on(is(http.MethodPost), 200, "application/json", "null")},
	{"accepts with an empty 202", "animate-move/only-required", "", on(is(http.MethodPost), 202, "application/json", "")},
	{"accepts without an id", "animate-move/only-required", "", on(is(http.MethodPost), 202, "application/json", `{"status":"queued"}`)},
	{"sends an endless body", "animate-move/only-required", "", onResponse(func(r *http.Request, a *httptest.ResponseRecorder) {
		if r.Method == http.MethodPost {
			a.Body.Write(bytes.Repeat([]byte(" "), 4<<20)) // then garbage
			a.Body.WriteString("}")
		}
	})},

	// Lifecycle.
	{"changes the case of the id", "animate-move/lifecycle/id-unchanged", "", onMembers("GET", 200, func(m map[string]any) { m["id"] = strings.ToUpper(m["id"].(string)) })},
	{"shortens the id of the submission", "animate-move/lifecycle/id-unchanged", "", func(next http.Handler) http.Handler {
		return onMembers(http.MethodPost, 200, func(m map[string]any) {
			m["id"], _, _ = strings.Cut(m["id"].(string), ":")
		})(onHeader(func(r *http.Request) {
			if id := r.URL.Query().Get("generation_id"); len(id) == 36 {
				r.URL.RawQuery += "%3Aalibaba%2Fwan2.2-14b-animate-move"
			}
		})(next))
	}},
	{"finds unknown generations as failed", "http/unknown-id", "", onResponse(func(r *http.Request, a *httptest.ResponseRecorder) {
		if is(http.MethodGet)(r) && a.Code == 404 {
			replaceResponse(a, 200, "application/json", `{"id":"x","status":"error","error":{"name":"NotFound","message":"no such generation"}}`)
		}
	})},
	{"capitalizes statuses", "animate-move/lifecycle/comes-to-an-end", "", onMembers("GET", 200, func(m map[string]any) {
		m["status"] = strings.ToUpper(m["status"].(string))
	})},
	{"reverts long after the end", "animate-move/lifecycle/final-stays", "", polled(6, "completed", func(a *httptest.ResponseRecorder) {
		edit(a, func(m map[string]any) { m["status"], m["video"] = "queued", nil })
	})},
	{"sends null as the message of the failure", "generation-1/lifecycle/error-has-reason", "", onMembers("GET", 200, func(m map[string]any) {
		if reason := member("error")(m); reason != nil {
			reason["message"] = nil
		}
	})},
	{"has a URL without a host", "animate-move/lifecycle/responses-match", "", onMembers("GET", 200, func(m map[string]any) {
		if video := member("video")(m); video != nil {
			video["url"] = "https:///v.mp4"
		}
	})},
	{"escapes the id", "animate-move/lifecycle/id-unchanged", "", onMembers("GET", 200, func(m map[string]any) { m["id"] = url.QueryEscape(m["id"].(string)) })},
	{"doesn't know a new id at once", "animate-move/lifecycle/known-at-once", "", polledOnce(1, func(a *httptest.ResponseRecorder) { problem(a, 404, "Generation not found") })},
	{"goes backward", "animate-move/lifecycle/legal-order", "", onMembers("GET", 200, func(m map[string]any) {
		switch m["status"] {
		case "queued":
			m["status"] = "generating"
		case "generating":
			m["status"] = "queued"
		}
	})},
	{"never ends", "animate-move/lifecycle/comes-to-an-end", "", onMembers("GET", 200, func(m map[string]any) {
		m["status"] = "generating"
		delete(m, "video")
	})},
	{"ends with an unlisted status", "animate-move/lifecycle/comes-to-an-end", "", onMembers("GET", 200, func(m map[string]any) {
		if m["status"] == "completed" {
			m["status"] = "succeeded"
		}
	})},
	{"reverts after the end", "animate-move/lifecycle/final-stays", "", polled(3, "completed", func(a *httptest.ResponseRecorder) {
		edit(a, func(m map[string]any) {
			m["status"] = "generating"
			delete(m, "video")
		})
	})},
	{"fails after the end", "animate-move/lifecycle/final-stays", "", polled(5, "completed", func(a *httptest.ResponseRecorder) {
		edit(a, func(m map[string]any) { m["status"], m["error"] = "error", map[string]any{"name": "n", "message": "m"} })
	})},
	{"forgets ended generations", "animate-move/lifecycle/final-stays", "", polled(2, "completed", func(a *httptest.ResponseRecorder) { problem(a, 404, "Generation not found") })},
	{"completes without a URL", "animate-move/lifecycle/completed-has-url", "", onMembers("GET", 200, func(m map[string]any) {
		if m["status"] == "completed" {
			m["video"] = nil
		}
	})},
	{"completes with an empty URL", "animate-move/lifecycle/completed-has-url", "", onMembers("GET", 200, func(m map[string]any) {
		if video := member("video")(m); video != nil {
			video["url"] = ""
		}
	})},
	{"loses the video", "animate-move/lifecycle/url-serves-a-video", "", on(download, 404, "application/json", `{}`)},
	{"serves HTML as the video", "animate-move/lifecycle/url-serves-a-video", "", on(download, 200, "video/mp4", "<!doctype html><h1>Gone</h1>")},
	{"requires a key for the video", "animate-move/lifecycle/url-serves-a-video", "", onResponse(func(r *http.Request, a *httptest.ResponseRecorder) {
		if download(r) && r.Header.Get("Authorization") == "" {
			problem(a, 401, "Unauthorized")
		}
	})},
	{"serves an empty video", "animate-move/lifecycle/url-serves-a-video", "", on(download, 200, "video/mp4", "")},
	{"serves other bytes in a range", "animate-move/lifecycle/url-serves-ranges", "", onResponse(func(_ *http.Request, a *httptest.ResponseRecorder) {
		if a.Code == http.StatusPartialContent {
			a.Body.Bytes()[0]++
		}
	})},
	{"counts ranges from 1", "animate-move/lifecycle/url-serves-ranges", "", onResponse(func(_ *http.Request, a *httptest.ResponseRecorder) {
		if a.Code == http.StatusPartialContent {
			a.Header().Set("Content-Range", strings.Replace(a.Header().Get("Content-Range"), "bytes 16-", "bytes 17-", 1))
		}
	})},
	{"serves the range as the whole", "animate-move/lifecycle/url-serves-ranges", "", onResponse(func(_ *http.Request, a *httptest.ResponseRecorder) {
		if a.Code == http.StatusPartialContent {
			a.Code = http.StatusOK
		}
	})},
	{"has another ETag each time", "animate-move/lifecycle/url-serves-ranges", "", func() func(http.Handler) http.Handler {
		n := 0
		return onResponse(func(r *http.Request, a *httptest.ResponseRecorder) {
			if download(r) {
				n++
				a.Header().Set("ETag", fmt.Sprintf("%q", fmt.Sprint(n)))
			}
		})
	}()},
	{"ignores If-Range", "animate-move/lifecycle/url-honours-if-range", "", onHeader(func(r *http.Request) { r.Header.Del("If-Range") })},
	{"forgets client request ids", "animate-move/account/client-request-id-in-the-logs", "", onLogs(func(row map[string]any) { row["client_request_id"] = nil })},
	{"logs another inference id", "animate-move/account/client-request-id-in-the-logs", "", onLogs(func(row map[string]any) { row["inference_id"] = "another" })},
	{"logs no inference id", "animate-move/account/client-request-id-in-the-logs", "", onLogs(func(row map[string]any) { row["inference_id"] = nil })},
	{"has a URL before completion", "animate-move/lifecycle/video-only-when-completed", "", onMembers("GET", 200, func(m map[string]any) {
		m["video"] = map[string]any{"url": "https://example.com/v.mp4"}
	})},
	{"always has an error", "animate-move/lifecycle/error-only-when-failed", "", onMembers("GET", 200, func(m map[string]any) {
		m["error"] = map[string]any{"name": "", "message": ""}
	})},
	{"sends numbers as strings", "animate-move/lifecycle/responses-match", "", onMembers("GET", 200, func(m map[string]any) {
		if usage := member("meta", "usage")(m); usage != nil {
			usage["credits_used"] = "420000"
		}
	})},
	{"sends a path as the URL", "animate-move/lifecycle/responses-match", "", onMembers("GET", 200, func(m map[string]any) {
		if video := member("video")(m); video != nil {
			video["url"] = "/files/v.mp4"
		}
	})},
	{"misses one poll", "animate-move/lifecycle/responses-match", "", polledOnce(2, func(a *httptest.ResponseRecorder) { problem(a, 404, "Generation not found") })},
	{"finds no generation", "animate-move/lifecycle/responses-match", "", onResponse(func(r *http.Request, a *httptest.ResponseRecorder) {
		if r.Method == http.MethodGet && a.Code == http.StatusOK {
			problem(a, 404, "Generation not found")
		}
	})},
	{"responds 500 from the second poll on", "animate-move/lifecycle/responses-match", "", polled(2, "", func(a *httptest.ResponseRecorder) { problem(a, 500, "oops") })},
	{"fails without a reason", "generation-1/lifecycle/error-has-reason", "", onMembers("GET", 200, func(m map[string]any) { delete(m, "error") })},
	{"fails without a message", "generation-1/lifecycle/error-has-reason", "", onMembers("GET", 200, func(m map[string]any) {
		if reason := member("error")(m); reason != nil {
			reason["message"] = ""
		}
	})},
	{"fails with a string", "generation-1/lifecycle/responses-match", "", onMembers("GET", 200, func(m map[string]any) {
		if m["error"] != nil {
			m["error"] = "refused"
		}
	})},
	{"charges failures", "generation-1/lifecycle/failed-costs-nothing", "", onMembers("GET", 200, func(m map[string]any) {
		m["meta"] = map[string]any{"usage": map[string]any{"credits_used": 420000}}
	})},
	{"charges failures in a header", "generation-1/lifecycle/failed-costs-nothing", "", onResponse(func(r *http.Request, a *httptest.ResponseRecorder) { a.Header().Set("X-Aimlapi-Usd-Spent", "0.21") })},
}
