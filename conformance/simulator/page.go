package simulator

import (
	_ "embed"
	"encoding/json"
	"net/http"
	"strings"
)

//go:embed page.html
var pageHTML []byte

// The page fetches these. It plays the embedded videos, not the results: those have faults and count downloads.
const (
	statePath  = "/simulator/state"
	videosPath = "/simulator/videos/"
)

// maxShown caps the jobs and the requests on the page.
const maxShown = 60

func isPage(r *http.Request) bool {
	return (r.Method == http.MethodGet || r.Method == http.MethodHead) &&
		(r.URL.Path == "/" || r.URL.Path == statePath || strings.HasPrefix(r.URL.Path, videosPath))
}

// servePage serves the page, its state and its videos.
func (s *Simulator) servePage(w http.ResponseWriter, r *http.Request) {
	if name, ok := strings.CutPrefix(r.URL.Path, videosPath); ok {
		w.Header().Set("Cache-Control", "max-age=3600")
		http.ServeFileFS(w, r, videoFiles, "videos/"+name) //nolint:gosec // an embedded file system has no parent
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	if r.URL.Path == statePath {
		l := s.Ledger()
		l.Jobs = l.Jobs[max(0, len(l.Jobs)-maxShown):]
		l.Requests = l.Requests[max(0, len(l.Requests)-maxShown):]
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		_ = json.NewEncoder(w).Encode(l)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; media-src 'self'; img-src data:")
	w.Write(pageHTML)
}
