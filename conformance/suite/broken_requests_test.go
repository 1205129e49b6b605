package suite_test

import (
	"encoding/json"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
)

// brokenRequests mishandle requests: one fault each in validation, errors, HTTP or authentication.
var brokenRequests = []broken{
	// Validation that accepts too much.
	{"has a maximum too high", "vace-fun-pose/num_frames/outside-maximum", "", onMember("num_frames", func(v any) any {
		if v == json.Number(strconv.Itoa(frames().max+1)) {
			return frames().max
		}
		return v
	})},
	{"has a minimum too low", "vace-fun-pose/num_frames/outside-minimum", "", onMember("num_frames", func(v any) any {
		if v == json.Number(strconv.Itoa(frames().min-1)) {
			return frames().min
		}
		return v
	})},
	{"compares bounds with a tolerance", "vace-fun-pose/num_frames/barely-outside-maximum", "", onMember("num_frames", func(v any) any {
		n, _ := v.(json.Number)
		if f, err := n.Float64(); err == nil && math.Abs(f-float64(frames().max)) < 1e-6 {
			return frames().max
		}
		return v
	})},
	{"ignores the bounds of ignored properties", "vace-fun-pose/num_frames/out-of-bounds-without-effect", "", onRequest(func(m map[string]any) {
		if m["match_input_num_frames"] == true {
			delete(m, "num_frames")
		}
	})},
	{"rounds to the bounds", "animate-replace/shift/10.0000000001", "", onMember("shift", func(v any) any {
		if n, ok := v.(json.Number); ok {
			f, _ := strconv.ParseFloat(n.String(), 32)
			return float32(f)
		}
		return v
	})},
	{"drops fractions of bounded numbers", "animate-replace/shift/a-fraction-outside-maximum", "", onMember("shift", func(v any) any {
		n, _ := v.(json.Number)
		if f, err := n.Float64(); err == nil {
			return math.Floor(f)
		}
		return v
	})},
	{"defaults a required property", "vace-fun-pose/prompt/missing", "", onRequest(func(m map[string]any) {
		if m["prompt"] == nil {
			m["prompt"] = ""
		}
	})},
	{"has a default model", "animate-move/model/left-out-with-a-good-request", "", onRequest(func(m map[string]any) {
		if _, ok := m["model"]; !ok {
			m["model"] = "alibaba/wan2.2-14b-animate-move"
		}
	})},
	{"matches models case-insensitively", "animate-move/model/alibaba/wan2.2-14b-animate-move-in-upper-case", "", onMember("model", func(v any) any {
		text, _ := v.(string)
		return strings.ToLower(text)
	})},
	{"matches values case-insensitively", "animate-move/resolution/480p-in-upper-case", "", onMember("resolution", lower)},
	{"trims values", "animate-move/resolution/480p-before-a-space", "", onMember("resolution", func(v any) any {
		text, ok := v.(string)
		if !ok {
			return v
		}
		return strings.TrimSpace(text)
	})},
	{"matches names case-insensitively", "animate-move/video_url/name-in-upper-case", "", onRequest(func(m map[string]any) {
		for name, value := range m {
			delete(m, name)
			m[strings.ToLower(name)] = value
		}
	})},
	{"treats null as absent", "animate-move/shift/null", "", onRequest(func(m map[string]any) {
		for name, value := range m {
			if value == nil {
				delete(m, name)
			}
		}
	})},
	{"accepts strings as numbers", "vace-fun-pose/num_frames/its-number-in-a-string", "", onRequest(func(m map[string]any) {
		for name, value := range m {
			if text, ok := value.(string); ok && quotedNumber.MatchString(text) {
				m[name] = json.Number(text)
			}
		}
	})},
	{"accepts numbers as booleans", "animate-move/enable_safety_checker/one", "", onMember("enable_safety_checker", func(v any) any {
		if v == json.Number("1") {
			return true
		}
		return v
	})},
	{"truncates fractions", "vace-fun-pose/num_frames/with-a-fraction", "", onMember("num_frames", func(v any) any {
		if n, ok := v.(json.Number); ok {
			whole, _, _ := strings.Cut(n.String(), ".")
			return json.Number(whole)
		}
		return v
	})},
	{"accepts five images", "vace-fun-pose/image_list/5", "", onMember("image_list", func(v any) any {
		if list, ok := v.([]any); ok && len(list) == 5 {
			return list[:4]
		}
		return v
	})},
	{"validates the first image only", "vace-fun-pose/image_list/file-name-at-3", "", onMember("image_list", func(v any) any {
		if list, ok := v.([]any); ok && len(list) > 0 {
			return list[:1]
		}
		return v
	})},
	{"accepts ftp", "animate-move/image_url/ftp", "", onMember("image_url", func(v any) any {
		text, _ := v.(string)
		return strings.Replace(text, "ftp:", "https:", 1)
	})},
	{"doesn't validate data URIs", "animate-move/image_url/data-rubbish", "", onMember("image_url", func(v any) any {
		if text, ok := v.(string); ok && strings.HasPrefix(text, "data:image/") {
			return "data:image/png;base64,AAAA"
		}
		return v
	})},

	// Validation that accepts too little.
	{"rejects unlisted members", "vace-fun-reframe/vendor-sample", "", refuse(func(m map[string]any) bool {
		return m["model"] == "alibaba/wan2.2-vace-fun-a14b-reframe" && m["image_url"] != nil
	})},
	{"rejects data URIs", "animate-move/image_url/data-png", "", refuse(func(m map[string]any) bool {
		text, _ := m["image_url"].(string)
		return strings.HasPrefix(text, "data:")
	})},
	{"rejects an empty prompt", "vace-fun-pose/prompt/empty", "", refuse(func(m map[string]any) bool { return m["prompt"] == "" })},
	{"rejects long prompts", "vace-fun-pose/prompt/20000-characters", "", refuse(func(m map[string]any) bool {
		text, _ := m["prompt"].(string)
		return len(text) > 10_000
	})},
	{"rejects NUL", "vace-fun-pose/prompt/nul", "", refuse(func(m map[string]any) bool {
		text, _ := m["prompt"].(string)
		return strings.Contains(text, "\x00")
	})},
	{"rejects 82.0", "vace-fun-pose/num_frames/with-a-zero-fraction", "", refuse(func(m map[string]any) bool {
		n, _ := m["num_frames"].(json.Number)
		return strings.HasSuffix(n.String(), ".0")
	})},
	{"rejects integers beyond int64", "vace-fun-pose/seed/beyond-int64", "", refuse(func(m map[string]any) bool {
		n, ok := m["seed"].(json.Number)
		_, err := strconv.ParseInt(n.String(), 10, 64)
		return ok && err != nil
	})},
	{"has the bounds of a sibling", "animate-move/shift/replaces-maximum", "", refuse(func(m map[string]any) bool { return m["shift"] == json.Number("11") })},
	{"makes properties exclusive", "vace-fun-pose/pairs/image_url+last_image_url", "", refuse(func(m map[string]any) bool {
		return m["image_url"] != nil && m["last_image_url"] != nil
	})},
	{"rejects escaped slashes", "animate-replace/json/escaped-names", "", onText(func(text string) string { return strings.ReplaceAll(text, `\/`, `\x`) })},

	// The syntax of the body.
	{"responds 500 to malformed JSON", "json/brace", "", onResponse(func(r *http.Request, a *httptest.ResponseRecorder) {
		if a.Code == 400 && strings.Contains(a.Body.String(), "well-formed") {
			problem(a, 500, "Internal server error")
		}
	})},
	{"uses the last duplicate", "animate-move/json/duplicate", "", onRequest(func(map[string]any) {})},
	{"detects duplicates at the top level only", "animate-move/json/duplicate-deep", "", onText(func(text string) string {
		return strings.Replace(text, `{"b":1,"b":2}`, `{"b":2}`, 1)
	})},
	{"ignores garbage behind the body", "animate-move/json/garbage-behind", "", firstValue},
	{"ignores a second value", "animate-move/json/two-values", "", firstValue},
	{"accepts trailing commas", "animate-move/json/trailing-comma", "", onText(func(text string) string { return strings.Replace(text, ",}", "}", 1) })},
	{"accepts NaN", "animate-move/json/nan", "", onText(func(text string) string { return strings.Replace(text, "NaN", "5", 1) })},
	{"accepts Latin-1", "animate-move/json/not-utf-8", "", onText(func(text string) string { return strings.ToValidUTF8(text, "?") })},
	{"accepts a list of submissions", "animate-move/json/batch", "", onText(func(text string) string {
		return strings.TrimSuffix(strings.TrimPrefix(text, "["), "]")
	})},

	// Errors.
	{"names no pointers", "animate-move/shift/null", "", onMembers("POST", 400, func(m map[string]any) { m["message"] = "Bad request" })},
	{"names the wrong pointer", "animate-move/shift/null", "", onMembers("POST", 400, func(m map[string]any) {
		m["message"] = strings.ReplaceAll(m["message"].(string), "/shift", "/resolution")
	})},
	{"names too much", "animate-move/shift/null", "", onMembers("POST", 400, func(m map[string]any) {
		m["message"] = m["message"].(string) + "; /seed: expected an integer, received nothing"
	})},
	{"names the first problem only", "vace-fun-reframe/two-wrong-one-missing", "", onMembers("POST", 400, func(m map[string]any) {
		m["message"], _, _ = strings.Cut(m["message"].(string), ";")
	})},
	{"sends errors without a message", "animate-move/shift/null", "", onMembers("POST", 400, func(m map[string]any) { delete(m, "message") })},
	{"sends errors without a statusCode", "http/unknown-id", "", onMembers("GET", 404, func(m map[string]any) { delete(m, "statusCode") })},
	{"sends another statusCode", "http/unknown-id", "", onMembers("GET", 404, func(m map[string]any) { m["statusCode"] = 400 })},
	{"sends another path", "http/unknown-id", "", onMembers("GET", 404, func(m map[string]any) { m["path"] = "/" })},
	{"sends errors as HTML", "animate-move/shift/null", "", onResponse(func(r *http.Request, a *httptest.ResponseRecorder) {
		if a.Code == 400 {
			replaceResponse(a, 400, "text/html", "<h1>Bad Request</h1>")
		}
	})},
	{"sends errors as text", "animate-move/http/content-type-text", "", onResponse(func(r *http.Request, a *httptest.ResponseRecorder) {
		if a.Code == 415 {
			a.Header().Set("Content-Type", "text/plain")
		}
	})},
	{"responds 422 instead of 400", "animate-move/shift/null", "", onResponse(func(r *http.Request, a *httptest.ResponseRecorder) {
		if a.Code == 400 {
			a.Code = 422
		}
	})},

	// HTTP.
	{"finds every id", "http/unknown-id", "", on(func(r *http.Request) bool { return r.URL.Query().Get("generation_id") != "" }, 200, "application/json", `{"id":"x","status":"queued"}`)},
	{"responds 500 to unknown ids", "http/unknown-id", "", onResponse(func(r *http.Request, a *httptest.ResponseRecorder) {
		if a.Code == 404 {
			problem(a, 500, "null pointer")
		}
	})},
	{"responds 400 to unknown ids", "http/unknown-nanoid", "", onResponse(func(r *http.Request, a *httptest.ResponseRecorder) {
		if a.Code == 404 {
			problem(a, 400, "malformed id")
		}
	})},
	{"treats PUT as POST", "animate-move/http/put", "", onHeader(func(r *http.Request) {
		if r.Method == http.MethodPut {
			body := `{"model":"alibaba/wan2.2-vace-fun-a14b-reframe","video_url":"https://example.com/v.mp4"}`
			r.Method, r.Body, r.ContentLength = http.MethodPost, io.NopCloser(strings.NewReader(body)), int64(len(body))
		}
	})},
	{"lets a header override the method", "animate-move/http/method-override", "", onHeader(func(r *http.Request) {
		if method := r.Header.Get("X-Http-Method-Override"); method != "" {
			r.Method = method
		}
	})},
	{"responds to DELETE", "http/delete", "", on(is(http.MethodDelete), 200, "application/json", `{}`)},
	{"ignores the content type", "animate-move/http/content-type-text", "", onHeader(func(r *http.Request) {
		if r.Method == http.MethodPost {
			r.Header.Set("Content-Type", "application/json")
		}
	})},
	{"matches the prefix of the content type", "animate-move/http/content-type-json-lines", "", onHeader(func(r *http.Request) {
		if strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") {
			r.Header.Set("Content-Type", "application/json")
		}
	})},
	{"rejects a charset", "animate-move/http/content-type-charset", "", onHeader(func(r *http.Request) {
		if strings.Contains(r.Header.Get("Content-Type"), "charset") {
			r.Header.Set("Content-Type", "text/plain")
		}
	})},
	{"rejects a content type with GET", "animate-move/http/content-type-on-get", "", onResponse(func(r *http.Request, a *httptest.ResponseRecorder) {
		if r.Method == http.MethodGet && r.Header.Get("Content-Type") != "" {
			problem(a, 400, "no body expected")
		}
	})},
	{"has no HEAD", "animate-move/http/head", "", on(is(http.MethodHead), 405, "application/json", "")},
	{"doesn't decode the query", "animate-move/http/id-all-escaped", "", onHeader(func(r *http.Request) {
		if strings.Count(r.URL.RawQuery, "%") > 10 {
			r.URL.RawQuery = strings.ReplaceAll(r.URL.RawQuery, "%", "%25")
		}
	})},
	{"decodes the query twice", "animate-move/http/id-escaped-twice", "", onHeader(func(r *http.Request) {
		r.URL.RawQuery = strings.ReplaceAll(r.URL.RawQuery, "%25", "%")
	})},
	{"cuts ids at the slash", "animate-move/http/id-as-it-is", "", onHeader(func(r *http.Request) {
		r.URL.RawQuery, _, _ = strings.Cut(r.URL.RawQuery, "/")
	})},
	{"matches ids by prefix", "animate-move/http/id-and-more", "", onHeader(func(r *http.Request) {
		r.URL.RawQuery = strings.TrimSuffix(r.URL.RawQuery, "x")
	})},
	{"redirects submissions", "animate-move/only-required", "", onResponse(func(r *http.Request, a *httptest.ResponseRecorder) {
		if r.Method == http.MethodPost {
			a.Header().Set("Location", "https://elsewhere.example.com/")
			replaceResponse(a, 307, "text/html", "")
		}
	})},

	// The key.
	{"requires no key", "animate-move/auth/submit-without-key", "", onHeader(func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+goodKey) })},
	{"requires no key for polls", "animate-move/auth/known-id-without-key", "", onHeader(func(r *http.Request) {
		if r.Method == http.MethodGet {
			r.Header.Set("Authorization", "Bearer "+goodKey)
		}
	})},
	{"accepts any key", "auth/poll-wrong-key", "", onHeader(func(r *http.Request) {
		if strings.HasPrefix(r.Header.Get("Authorization"), "Bearer ") {
			r.Header.Set("Authorization", "Bearer "+goodKey)
		}
	})},
	{"accepts a bare key", "animate-move/auth/submit-bare-key", "", onHeader(func(r *http.Request) {
		if r.Header.Get("Authorization") == goodKey {
			r.Header.Set("Authorization", "Bearer "+goodKey)
		}
	})},
	{"checks the body before the key", "auth/submit-invalid-json-without-key", "", onResponse(func(r *http.Request, a *httptest.ResponseRecorder) {
		if r.Method == http.MethodPost && r.ContentLength == 1 {
			problem(a, 400, "Body validation error")
		}
	})},
}
