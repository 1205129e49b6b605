package suite_test

import (
	"context"
	"fmt"
	"net/http"
	"regexp"
	"testing"

	"github.com/aimlvideo/wan-go/conformance/simulator"
	"github.com/aimlvideo/wan-go/conformance/suite"
)

// A server under test: here the simulator, in your tests your own handler.
func newHandler() http.Handler { return simulator.New(simulator.WithKey("test-key")) }

// In a test of your own server, each case is a subtest.
func ExampleTest() {
	_ = func(t *testing.T) { // func TestConformance(t *testing.T)
		suite.Test(t, suite.Config{
			Handler:    newHandler(),
			Deviations: suite.Deviations{"rule:unique-names": {Reason: "encoding/json keeps the last one"}},
		})
	}
	// Output:
}

func ExampleRun() {
	report, err := suite.Run(context.Background(), suite.Config{
		Handler: newHandler(),
		Run:     regexp.MustCompile("^vace-fun-pose/num_frames/"),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(report.OK(), report.Counts[suite.Failed])
	// Output: true 0
}
