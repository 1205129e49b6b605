package simulator

import (
	"bytes"
	_ "embed"
	"html/template"
	"net/http"
)

//go:embed page.html
var pageHTML []byte

// maxShown is the default size of a page of jobs or requests.
const maxShown = 60

// noScript lists the newest jobs for browsers without JavaScript.
var noScript = template.Must(template.New("noscript").Parse(`<noscript>
<style>#filters, #jobs, #hint, #table { display: none }</style>
<p>{{len .Jobs}} of {{.JobsTotal}} jobs, {{.Charged}} charged, ${{printf "%.2f" .USD}}. Reload the page to see what is new.</p>
<table><thead><tr><th>Created</th><th>Status</th><th>Job</th><th>Request</th></tr></thead><tbody>
{{range .Jobs}}<tr><td>{{.Created.Format "15:04:05"}}</td><td>{{.Status}}</td><td class="mono">{{if .Result}}<a href="{{.Result}}">{{.ID}}</a>{{else}}{{.ID}}{{end}}</td><td class="mono">{{printf "%.300s" .Body}}</td></tr>
{{end}}</tbody></table></noscript>
`))

func (s *Simulator) servePage(w http.ResponseWriter, r *http.Request) {
	var list bytes.Buffer
	if s.controlAllowed(r) {
		if value, err := s.getState(r.URL.Query(), nil); err == nil {
			_ = noScript.Execute(&list, value)
		}
	}

	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; media-src 'self'; img-src data:; form-action 'self'")
	w.Write(bytes.Replace(pageHTML, []byte("<!--NOSCRIPT-->"), list.Bytes(), 1))
}

// serveVideo serves an embedded video for the page. A download of a result has faults and counts.
func (s *Simulator) serveVideo(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "max-age=3600")
	http.ServeFileFS(w, r, videoFiles, "videos/"+r.PathValue("file")) //nolint:gosec // an embedded file system has no parent
}
