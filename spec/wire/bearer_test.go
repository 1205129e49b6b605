package wire_test

import (
	"net/http"
	"testing"

	"github.com/aimlvideo/wan-go/spec/wire"
)

func TestBearerKey(t *testing.T) {
	for header, want := range map[string]string{
		"Bearer secret": "secret", "bearer secret": "secret", "BEARER  secret ": "secret",
		"Basic secret": "", "Bearer": "", "Bearer ": "", "": "", "secret": "",
	} {
		if got := wire.BearerKey(http.Header{"Authorization": {header}}); got != want {
			t.Errorf("%q: %q, want %q", header, got, want)
		}
	}
}
