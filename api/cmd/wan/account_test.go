package main

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aimlvideo/wan-go/conformance/simulator"
	"github.com/aimlvideo/wan-go/spec"
)

// A submission whose response is lost is found in the logs, and goes on.
func TestFindAfterUnknown(t *testing.T) {
	s := newServer(t, simulator.WithLogDelay(500*time.Millisecond))
	s.Inject(simulator.Fault{On: simulator.Submit, Times: 1, Effect: simulator.Drop()})
	result := s.wan(t, move()...)
	result.check(t, exitDone, s.URL+s.job(t).Result+"\n", "looking for the submission", "submitted "+s.job(t).ID)
	if l := s.Ledger(); l.Created != 1 || l.Charged != 1 {
		t.Errorf("%d jobs, %d charges", l.Created, l.Charged)
	}
}

func TestFindCommand(t *testing.T) {
	s := newServer(t)
	s.Inject(simulator.Fault{On: simulator.Submit, Times: 1, Effect: simulator.Drop()})
	lost := s.wan(t, move("--client-request-id", "lost", "--find", "0")...)
	lost.check(t, exitUnknown, "", "To look it up: wan find lost --base-url "+s.URL+"\n")
	id := s.job(t).ID
	s.wan(t, "find", "lost").check(t, exitDone, id+"\n", "To resume: wan wait "+id+" --base-url "+s.URL+"\n")
	if found := s.wan(t, "find", "lost", "--json"); !strings.Contains(found.stdout, `"id":"`+id+`"`) || !strings.Contains(found.stdout, `"client_request_id":"lost"`) {
		t.Errorf("%+v", found)
	}
	s.wan(t, "find", "nobody").check(t, exitUnknown, "", "nobody")
	s.wan(t, "find").check(t, exitInput, "", "which submission? wan find CLIENT-REQUEST-ID")
	s.wan(t, "find", "lost", "--since", "-1h").check(t, exitInput, "", "--since")
	if n := s.Ledger().Created; n != 1 {
		t.Errorf("%d jobs", n)
	}
}

// Absence never leads to another submission.
func TestFindNothing(t *testing.T) {
	s := newServer(t)
	s.Inject(simulator.Fault{On: simulator.Submit, Effect: simulator.HTML(http.StatusBadGateway)})
	s.wan(t, move("--find", "1s")...).check(t, exitUnknown, "", "may be charged", "To look it up: wan find ")
	submissions := 0
	for _, entry := range s.Ledger().Requests {
		if entry.Method == http.MethodPost {
			submissions++
		}
	}
	if submissions != 1 {
		t.Errorf("%d submissions", submissions)
	}
}

func TestBalance(t *testing.T) {
	s := newServer(t, simulator.WithBalance(12.5))
	s.wan(t, "balance").check(t, exitDone, "12.50 USD\n")
	s.wan(t, "balance", "--json").check(t, exitDone, `{"currency":"USD","usd":12.5}`+"\n")
	t.Setenv("AIML_API_KEY", "wrong-key-0123456789")
	s.wan(t, "balance").check(t, exitAccount, "", "401")
}

func TestPrices(t *testing.T) {
	s := newServer(t)
	t.Setenv("AIML_API_KEY", "") // the catalogue needs none
	prices := s.wan(t, "models", "--prices")
	if prices.code != exitDone || strings.Count(prices.stdout, "\n") != len(spec.Models()) || !strings.Contains(prices.stdout, "animate-move          $0.21 per generation\n") {
		t.Errorf("%+v", prices)
	}
	one := s.wan(t, "models", "animate-move", "--prices", "--json")
	var decoded []map[string]any
	if err := json.Unmarshal([]byte(one.stdout), &decoded); err != nil || len(decoded) != 1 || decoded[0]["slug"] != "animate-move" || decoded[0]["units"] == nil {
		t.Errorf("%v: %+v", err, one)
	}
}

func TestMaxUSD(t *testing.T) {
	variable := simulator.WithPrices(map[string]simulator.Price{"animate-replace": {Kind: "variable"}})
	s := newServer(t, simulator.WithBalance(0.3), variable)
	s.wan(t, move("--max-usd", "0.2")...).check(t, exitInput, "", "--max-usd: the estimate is $0.21")
	s.wan(t, "animate-replace", "--video-url", "https://example.com/v.mp4", "--image-url", "https://example.com/i.png", "--max-usd", "9").
		check(t, exitInput, "", "--max-usd: the cost is unknown")
	if n := s.Ledger().Created; n != 0 {
		t.Fatalf("%d jobs", n)
	}
	s.wan(t, move("--max-usd", "0.25")...).check(t, exitDone, s.URL+s.job(t).Result+"\n")
	s.wan(t, move("--max-usd", "0.25")...).check(t, exitInput, "", "the estimate is $0.21, the balance $0.09")
	if n := s.Ledger().Created; n != 1 {
		t.Errorf("%d jobs", n)
	}
	for _, wrong := range []string{"-1", "0", "nan"} {
		s.wan(t, move("--max-usd", wrong)...).check(t, exitInput, "", "--max-usd must be more than 0")
	}
}

func TestEstimate(t *testing.T) {
	s := newServer(t, simulator.WithPrices(map[string]simulator.Price{"vace-fun-pose": {Kind: "variable"}}))
	s.wan(t, move("--estimate")...).check(t, exitDone, "$0.21\n")
	s.wan(t, move("--estimate", "--json")...).check(t, exitDone, `{"usd":0.21}`+"\n")
	s.wan(t, "vace-fun-pose", "--video-url", "https://example.com/v.mp4", "--prompt", "p", "--estimate").check(t, exitInput, "", "the cost is unknown: ")
	if n := s.Ledger().Created; n != 0 {
		t.Errorf("%d jobs", n)
	}
	// The spec's defaults decide what the request leaves open.
	perSecond := simulator.Rate{Unit: "second", Price: 0.1, Per: 1, When: map[string]any{"resolution": "480p"}}
	s = newServer(t, simulator.WithPrices(map[string]simulator.Price{"vace-fun-reframe": {Kind: "variants", Dimensions: []string{"resolution"}, Variants: []simulator.Rate{perSecond}}}))
	s.wan(t, "vace-fun-reframe", "--video-url", "https://example.com/v.mp4", "--num-frames", "160", "--frames-per-second", "16", "--estimate").check(t, exitDone, "$1.00\n")
}

// wan wait sums what several generations cost.
func TestWaitCosts(t *testing.T) {
	s := newServer(t)
	s.wan(t, move("--no-wait")...)
	s.wan(t, move("--no-wait")...)
	jobs := s.Ledger().Jobs
	if result := s.wan(t, "wait", jobs[0].ID, jobs[1].ID); !strings.Contains(result.stderr, "total: 2 videos, 840000 credits, $0.42\n") {
		t.Errorf("%+v", result)
	}
}
