package api

import (
	"testing"
	"testing/synctest"
	"time"
)

// Polls slow down by a factor of 32 at most.
func TestMaxSlowdown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &pace{}
		for range 20 {
			p.tooMany()
			time.Sleep(time.Second)
		}
		if p.factor != 32 {
			t.Errorf("the factor is %v", p.factor)
		}
	})
}
