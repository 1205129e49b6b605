package simulator

import (
	_ "embed"
	"html/template"
	"net/http"
	"strconv"
)

//go:embed page.html
var pageHTML string

// page is the web page. Its script fetches the state; without JavaScript it lists the newest jobs and requests itself.
var page = template.Must(template.New("page").Parse(pageHTML))

// maxShown is the default size of a page of jobs or requests.
const maxShown = 60

func (s *Simulator) servePage(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	data := map[string]any{"Base": origin(r), "Text": q.Get("text"), "Status": q.Get("status"), "Model": q.Get("model")}
	if _, operation := controlOperation("getState"); s.controlAllowed(r) && checkQuery(operation, q) == nil {
		state := s.pageState(q)
		data["State"] = state
		if end := integer(q, "offset", 0) + len(state.Jobs); end < state.JobsTotal {
			q.Set("offset", strconv.Itoa(end))
			data["Older"] = "?" + q.Encode()
		}
	}
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; media-src 'self'; img-src data:; form-action 'self'")
	_ = page.Execute(w, data)
}

// serveVideo serves an embedded video for the page. A download of a result has faults and counts.
func (s *Simulator) serveVideo(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "max-age=3600")
	http.ServeFileFS(w, r, videoFiles, "videos/"+r.PathValue("file")) //nolint:gosec // an embedded file system has no parent
}
