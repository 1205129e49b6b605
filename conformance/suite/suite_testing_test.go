package suite_test

import (
	"net/http/httptest"
	"regexp"
	"testing"

	"github.com/aimlvideo/wan-go/conformance/simulator"
	"github.com/aimlvideo/wan-go/conformance/suite"
)

func TestTest(t *testing.T) {
	sim := simulator.New(simulator.WithKey(goodKey))
	srv := httptest.NewServer(sim)
	defer srv.Close()
	c := suite.Config{Key: goodKey, Run: regexp.MustCompile("/shift/"), Strictness: suite.Exact}
	handler, url := c, c
	handler.Handler, url.Target = sim, srv.URL
	t.Run("handler", func(t *testing.T) { suite.Test(t, handler) })
	created := sim.Ledger().Created
	if created == 0 {
		t.Error("a handler has a spending limit")
	}
	t.Run("URL", func(t *testing.T) { suite.Test(t, url) })
	if sim.Ledger().Created != created {
		t.Error("a URL has no spending limit")
	}
}
