package suite_test

import (
	"bytes"
	"encoding/base64"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
)

// authorized sends requests on with the valid key if the condition holds.
func authorized(when func(r *http.Request) bool) func(http.Handler) http.Handler {
	return onHeader(func(r *http.Request) {
		if when(r) {
			r.Header.Set("Authorization", "Bearer "+goodKey)
		}
	})
}

func authorization(r *http.Request) string { return r.Header.Get("Authorization") }

// limited rejects bodies of more than a number of bytes.
func limited(limit int) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			if len(body) > limit {
				w.Header().Set("Content-Type", "application/json")
				w.WriteHeader(http.StatusRequestEntityTooLarge)
				io.WriteString(w, `{"message":"too large","statusCode":413}`)
				return
			}
			r.Body = io.NopCloser(bytes.NewReader(body))
			next.ServeHTTP(w, r)
		})
	}
}

// without rejects submissions in which a media property has a text.
func without(part string) func(http.Handler) http.Handler {
	return refuse(func(m map[string]any) bool {
		image, _ := m["image_url"].(string)
		video, _ := m["video_url"].(string)
		return strings.Contains(image, part) || strings.Contains(video, part)
	})
}

// alias accepts a value as another one.
func alias(property, value, as string) func(http.Handler) http.Handler {
	return onMember(property, func(v any) any {
		if v == value {
			return as
		}
		return v
	})
}

// usage changes the cost in responses to polls with a status.
func usage(status string, cost func() any) func(http.Handler) http.Handler {
	return onMembers(http.MethodGet, 200, func(m map[string]any) {
		if m["status"] == status {
			m["meta"] = map[string]any{"usage": map[string]any{"credits_used": cost()}}
		}
	})
}

// file serves other content as the video.
func file(content string) func(http.Handler) http.Handler {
	return on(download, 200, "video/mp4", content)
}

// brokenForOneModel have faults that the default level catches: many affect one model, one size or one value.
var brokenForOneModel = []broken{
	{"requires no key for reframe", "vace-fun-reframe/auth/submit-without-key", "", onlyFor("vace-fun-reframe", authorized(func(*http.Request) bool { return true }))},
	{"ignores garbage for pose", "vace-fun-pose/json/garbage-behind", "", onlyFor("vace-fun-pose", firstValue)},
	{"accepts trailing commas for replace", "animate-replace/json/trailing-comma", "", onlyFor("animate-replace", onText(func(text string) string {
		return strings.Replace(text, ",}", "}", 1)
	}))},
	{"ignores the content type for pose", "vace-fun-pose/http/content-type-text", "", onlyFor("vace-fun-pose", onHeader(func(r *http.Request) {
		r.Header.Set("Content-Type", "application/json")
	}))},
	{"accepts PUT for reframe", "vace-fun-reframe/http/put", "", onlyFor("vace-fun-reframe", onHeader(func(r *http.Request) {
		r.Method = http.MethodPost
	}))},
	{"accepts another path for replace", "animate-replace/http/post-elsewhere", "", onlyFor("animate-replace", onHeader(func(r *http.Request) {
		r.URL.Path = path
	}))},

	{"accepts prefixes of the key", "animate-move/auth/submit-key-cut", "", authorized(func(r *http.Request) bool {
		key, ok := strings.CutPrefix(authorization(r), "Bearer ")
		return ok && key != "" && strings.HasPrefix(goodKey, key)
	})},
	{"accepts keys that start with the key", "vace-fun-pose/auth/submit-key-longer", "", authorized(func(r *http.Request) bool {
		return strings.HasPrefix(authorization(r), "Bearer "+goodKey)
	})},
	{"accepts the key in other case", "animate-replace/auth/known-id-with-key-in-other-case", "", authorized(func(r *http.Request) bool {
		return strings.EqualFold(authorization(r), "Bearer "+goodKey)
	})},
	{"accepts keys of the right length", "animate-move/auth/submit-key-reversed", "", authorized(func(r *http.Request) bool {
		return len(authorization(r)) == len("Bearer "+goodKey)
	})},
	{"accepts the key without a scheme", "animate-move/auth/known-id-with-bare-key", "", authorized(func(r *http.Request) bool { return authorization(r) == goodKey })},
	{"accepts the scheme Basic", "animate-move/auth/submit-basic", "", authorized(func(r *http.Request) bool { return authorization(r) == "Basic "+goodKey })},
	{"accepts any scheme", "animate-move/auth/submit-token", "", authorized(func(r *http.Request) bool { return strings.HasSuffix(authorization(r), " "+goodKey) })},
	{"accepts the key in the query", "animate-move/auth/known-id-with-key-in-query", "", authorized(func(r *http.Request) bool { return strings.Contains(r.URL.RawQuery, goodKey) })},
	{"accepts the key in X-Api-Key", "vace-fun-reframe/auth/submit-key-header", "", authorized(func(r *http.Request) bool { return r.Header.Get("X-Api-Key") == goodKey })},
	{"matches the scheme case-sensitively", "animate-move/http/scheme-in-lower-case", "", onHeader(func(r *http.Request) {
		if strings.HasPrefix(authorization(r), "bearer") {
			r.Header.Del("Authorization")
		}
	})},
	{"matches the scheme of submissions case-sensitively", "vace-fun-pose/auth/submit-scheme-in-lower-case", "", onHeader(func(r *http.Request) {
		if r.Method == http.MethodPost && strings.HasPrefix(authorization(r), "bearer") {
			r.Header.Del("Authorization")
		}
	})},

	{"limits bodies to 64 KiB", "vace-fun-reframe/video_url/data-100-KiB", "", limited(64 << 10)},
	{"limits bodies to 1 MiB", "animate-move/video_url/data-1.5-MiB", "", limited(1 << 20)},
	{"limits bodies to 10 MiB", "vace-fun-pose/video_url/data-12-MiB", "", limited(10 << 20)},
	{"rejects chunked bodies", "animate-replace/chunked", "", func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodPost && r.ContentLength < 0 {
				w.WriteHeader(http.StatusLengthRequired)
				return
			}
			next.ServeHTTP(w, r)
		})
	}},
	{"rejects WebP", "animate-move/image_url/data-webp", "", without("image/webp")},
	{"rejects AVIF", "vace-fun-pose/last_image_url/data-avif", "", refuse(func(m map[string]any) bool {
		text, _ := m["last_image_url"].(string)
		return strings.Contains(text, "image/avif")
	})},
	{"rejects GIF", "animate-replace/image_url/data-gif", "", without("image/gif")},
	{"rejects QuickTime", "animate-move/video_url/data-quicktime", "", without("video/quicktime")},
	{"rejects WebM", "vace-fun-reframe/video_url/data-webm", "", without("video/webm")},
	{"rejects Matroska", "vace-fun-pose/video_url/data-x-matroska", "", without("matroska")},
	{"limits URLs to 2,048 characters", "animate-move/image_url/3000-characters", "", refuse(func(m map[string]any) bool {
		text, _ := m["image_url"].(string)
		return len(text) > 2048 && !strings.HasPrefix(text, "data:")
	})},
	{"rejects + in URLs", "animate-move/video_url/query-with-plus", "", refuse(func(m map[string]any) bool {
		text, _ := m["video_url"].(string)
		return strings.HasPrefix(text, "https") && strings.Contains(text, "+")
	})},
	{"rejects queries", "animate-move/video_url/query", "", without(".mp4?")},

	{"accepts 1080p", "animate-move/resolution/1080p", "", alias("resolution", "1080p", "720p")},
	{"accepts the quality ultra", "vace-fun-reframe/video_quality/ultra", "", alias("video_quality", "ultra", "high")},
	{"accepts the write mode slow", "animate-replace/video_write_mode/slow", "", alias("video_write_mode", "slow", "small")},
	{"accepts the interpolator none", "vace-fun-pose/interpolator_model/none", "", alias("interpolator_model", "none", "rife")},
	{"accepts wan2.1", "animate-move/model/alibaba/wan2.1-14b-animate-move", "", alias("model", "alibaba/wan2.1-14b-animate-move", "alibaba/wan2.2-14b-animate-move")},

	{"sends empty error messages", "animate-move/shift/null", "", onMembers("POST", 400, func(m map[string]any) { m["message"] = "" })},
	{"serves only the first box", "animate-move/lifecycle/url-serves-a-video", "", file("\x00\x00\x00\x14ftypisom\x00\x00\x02\x00isom")},
	{"truncates the video", "vace-fun-pose/lifecycle/url-serves-a-video", "", onResponse(func(r *http.Request, a *httptest.ResponseRecorder) {
		if download(r) && a.Body.Len() > 0 {
			a.Body.Truncate(a.Body.Len() - a.Body.Len()/4)
		}
	})},
	{"has negative costs", "animate-move/lifecycle/cost-not-negative", "", usage("completed", func() any { return -1 })},
	{"changes the cost", "animate-move/lifecycle/cost-stays", "", usage("completed", func() func() any {
		credits := 0
		return func() any { credits++; return credits }
	}())},
	{"charges while generating", "animate-move/lifecycle/cost-only-at-the-end", "", usage("generating", func() any { return 7 })},
	{"never ends with a video", "animate-move/lifecycle/comes-to-an-end", "", onMembers("GET", 200, func(m map[string]any) {
		if m["status"] == "completed" {
			m["status"] = "uploading"
		}
	})},
	{"decodes base64 strictly for replace", "animate-replace/image_url/data-plus-and-slash", "", onlyFor("animate-replace", refuse(func(m map[string]any) bool {
		text, _ := m["image_url"].(string)
		_, data, ok := strings.Cut(text, ";base64,")
		_, err := base64.URLEncoding.DecodeString(data)
		return ok && err != nil
	}))},
}

// brokenStatusCodes send a status code that the specs don't document for the operation and the reason.
var brokenStatusCodes = []broken{
	{"responds 422 to invalid submissions", "animate-move/shift/null", "", statusFor(http.MethodPost, 400, 422)},
	{"responds 400 to unknown generations", "http/unknown-id", "", statusFor(http.MethodGet, 404, 400)},
	{"responds 403 without a key", "animate-move/auth/submit-without-key", "", statusFor(http.MethodPost, 401, 403)},
	{"responds 202 to submissions", "vace-fun-pose/only-required", "", statusFor(http.MethodPost, 200, 202)},
	{"responds 202 to observed submissions", "vace-fun-pose/lifecycle/submission-response", "", statusFor(http.MethodPost, 200, 202)},
	{"responds 201 to polls", "animate-replace/lifecycle/responses-match", "", statusFor(http.MethodGet, 200, 201)},
}

// statusFor replaces a status code, also in the body.
func statusFor(method string, from, to int) func(http.Handler) http.Handler {
	return onResponse(func(r *http.Request, a *httptest.ResponseRecorder) {
		if r.Method != method || a.Code != from || r.URL.Path != path {
			return
		}
		edit(a, func(m map[string]any) {
			if m["statusCode"] != nil {
				m["statusCode"] = to
			}
		})
		a.Code = to
	})
}
