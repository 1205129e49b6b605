package suite_test

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
)

// The broken servers that take requests as they should: one fault each in what they answer, or in the life of a job.
var brokenLives = []broken{
	// Answers to submissions, and headers.
	{"answers with an empty body", "animate-move/only-required", "", on(is(http.MethodPost), 200, "application/json", "")},
	{"answers without a status", "animate-move/only-required", "", onMembers("POST", 200, func(m map[string]any) { delete(m, "status") })},
	{"answers without an id", "animate-move/lifecycle/submission-answer", "", onMembers("POST", 200, func(m map[string]any) { delete(m, "id") })},
	{"answers an id that is a number", "animate-move/only-required", "", onMembers("POST", 200, func(m map[string]any) { m["id"] = 4711 })},
	{"answers with garbage behind the body", "animate-move/only-required", "", onAnswer(func(r *http.Request, a *httptest.ResponseRecorder) { a.Body.WriteString("}") })},
	{"answers a member twice", "animate-move/only-required", "", onAnswer(func(r *http.Request, a *httptest.ResponseRecorder) {
		a.Body = bytes.NewBufferString(strings.Replace(a.Body.String(), "{", `{"status":"queued",`, 1))
	})},
	{"is done when it begins", "animate-move/lifecycle/submission-answer", "", onMembers("POST", 200, func(m map[string]any) {
		m["status"], m["video"] = "completed", map[string]any{"url": "https://example.com/v.mp4"}
	})},
	{"has one id for all", "submissions/every-id-is-new", "|^animate-move/(only-required|everything)$", onMembers("POST", 200, func(m map[string]any) { m["id"] = "the-only-id" })},
	{"answers as text/plain", "animate-move/headers/content-type", "", onAnswer(func(r *http.Request, a *httptest.ResponseRecorder) {
		if a.Code == http.StatusOK {
			a.Header().Set("Content-Type", "text/plain")
		}
	})},
	{"has another x-inference-id", "animate-move/headers/inference-id", "", onAnswer(func(r *http.Request, a *httptest.ResponseRecorder) {
		id, _, _ := strings.Cut(a.Header().Get("X-Inference-Id"), ":")
		a.Header().Set("X-Inference-Id", id)
	})},
	{"echoes no request id", "animate-move/headers/client-request-id", "", withoutHeader("X-Client-Request-Id")},
	{"echoes no request id of polls", "animate-move/headers/client-request-id-of-a-poll", "", withoutHeader("X-Client-Request-Id")},
	{"echoes request ids in lower case", "animate-move/headers/client-request-id-with-all-characters", "", onAnswer(func(r *http.Request, a *httptest.ResponseRecorder) {
		a.Header().Set("X-Client-Request-Id", strings.ToLower(a.Header().Get("X-Client-Request-Id")))
	})},
	{"echoes any request id", "animate-move/headers/client-request-id-with-a-space", "", onAnswer(func(r *http.Request, a *httptest.ResponseRecorder) {
		a.Header().Set("X-Client-Request-Id", r.Header.Get("X-Client-Request-Id"))
	})},
	{"cuts request ids", "animate-move/headers/client-request-id-of-128", "", onAnswer(func(r *http.Request, a *httptest.ResponseRecorder) {
		id := a.Header().Get("X-Client-Request-Id")
		a.Header().Set("X-Client-Request-Id", id[:min(64, len(id))])
	})},
	{"has another cost in its header", "animate-move/headers/cost-as-in-the-body", "", onAnswer(func(r *http.Request, a *httptest.ResponseRecorder) {
		if a.Header().Get("X-Aimlapi-Usd-Spent") != "" {
			a.Header().Set("X-Aimlapi-Usd-Spent", "2.10")
		}
	})},

	{"accepts with nothing", "animate-move/only-required", "", on(is(http.MethodPost), 202, "application/json", "")},
	{"accepts without an id", "animate-move/only-required", "", on(is(http.MethodPost), 202, "application/json", `{"status":"queued"}`)},
	{"answers without an end", "animate-move/only-required", "", onAnswer(func(r *http.Request, a *httptest.ResponseRecorder) {
		if r.Method == http.MethodPost {
			a.Body.Write(bytes.Repeat([]byte(" "), 4<<20)) // and what comes behind isn't JSON
			a.Body.WriteString("}")
		}
	})},

	// Lives.
	{"changes the case of the id", "animate-move/lifecycle/id-unchanged", "", onMembers("GET", 200, func(m map[string]any) { m["id"] = strings.ToUpper(m["id"].(string)) })},
	{"escapes the id", "animate-move/lifecycle/id-unchanged", "", onMembers("GET", 200, func(m map[string]any) { m["id"] = url.QueryEscape(m["id"].(string)) })},
	{"forgets what it has just accepted", "animate-move/lifecycle/known-at-once", "", polledOnce(1, func(a *httptest.ResponseRecorder) { problem(a, 404, "Generation not found") })},
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
	{"calls the end by another word", "animate-move/lifecycle/comes-to-an-end", "", onMembers("GET", 200, func(m map[string]any) {
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
	{"forgets what has ended", "animate-move/lifecycle/final-stays", "", polled(2, "completed", func(a *httptest.ResponseRecorder) { problem(a, 404, "Generation not found") })},
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
	{"serves a page for the video", "animate-move/lifecycle/url-serves-a-video", "", on(download, 200, "video/mp4", "<!doctype html><h1>Gone</h1>")},
	{"wants a key for the video", "animate-move/lifecycle/url-serves-a-video", "", onAnswer(func(r *http.Request, a *httptest.ResponseRecorder) {
		if download(r) && r.Header.Get("Authorization") == "" {
			problem(a, 401, "Unauthorized")
		}
	})},
	{"serves nothing for the video", "animate-move/lifecycle/url-serves-a-video", "", on(download, 200, "video/mp4", "")},
	{"has a URL before the end", "animate-move/lifecycle/video-only-when-completed", "", onMembers("GET", 200, func(m map[string]any) {
		m["video"] = map[string]any{"url": "https://example.com/v.mp4"}
	})},
	{"has an error all along", "animate-move/lifecycle/error-only-when-failed", "", onMembers("GET", 200, func(m map[string]any) {
		m["error"] = map[string]any{"name": "", "message": ""}
	})},
	{"answers numbers as strings", "animate-move/lifecycle/answers-match", "", onMembers("GET", 200, func(m map[string]any) {
		if usage := member("meta", "usage")(m); usage != nil {
			usage["credits_used"] = "420000"
		}
	})},
	{"answers a path for the URL", "animate-move/lifecycle/answers-match", "", onMembers("GET", 200, func(m map[string]any) {
		if video := member("video")(m); video != nil {
			video["url"] = "/files/v.mp4"
		}
	})},
	{"forgets it for a moment", "animate-move/lifecycle/answers-match", "", polledOnce(2, func(a *httptest.ResponseRecorder) { problem(a, 404, "Generation not found") })},
	{"knows nothing of it", "animate-move/lifecycle/id-unchanged", "", onAnswer(func(r *http.Request, a *httptest.ResponseRecorder) {
		if r.Method == http.MethodGet && a.Code == http.StatusOK {
			problem(a, 404, "Generation not found")
		}
	})},
	{"stumbles at the second poll", "animate-move/lifecycle/answers-match", "", polled(2, "", func(a *httptest.ResponseRecorder) { problem(a, 500, "oops") })},
	{"fails without a reason", "generation-1/lifecycle/error-has-reason", "", onMembers("GET", 200, func(m map[string]any) { delete(m, "error") })},
	{"fails without a message", "generation-1/lifecycle/error-has-reason", "", onMembers("GET", 200, func(m map[string]any) {
		if reason := member("error")(m); reason != nil {
			reason["message"] = ""
		}
	})},
	{"fails with a string", "generation-1/lifecycle/answers-match", "", onMembers("GET", 200, func(m map[string]any) {
		if m["error"] != nil {
			m["error"] = "refused"
		}
	})},
	{"charges failures", "generation-1/lifecycle/failed-costs-nothing", "", onMembers("GET", 200, func(m map[string]any) {
		m["meta"] = map[string]any{"usage": map[string]any{"credits_used": 420000}}
	})},
	{"charges failures in a header", "generation-1/lifecycle/failed-costs-nothing", "", onAnswer(func(r *http.Request, a *httptest.ResponseRecorder) { a.Header().Set("X-Aimlapi-Usd-Spent", "0.21") })},
}
