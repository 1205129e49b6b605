package simulator

import (
	_ "embed"
	"net/http"
)

//go:embed page.html
var pageHTML []byte

// maxShown is the default size of a page of jobs or requests.
const maxShown = 60

func (s *Simulator) servePage(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; media-src 'self'; img-src data:; form-action 'self'")
	w.Write(pageHTML)
}

// serveVideo serves an embedded video for the page. A download of a result has faults and counts.
func (s *Simulator) serveVideo(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "max-age=3600")
	http.ServeFileFS(w, r, videoFiles, "videos/"+r.PathValue("file")) //nolint:gosec // an embedded file system has no parent
}
