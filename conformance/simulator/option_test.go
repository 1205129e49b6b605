package simulator_test

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/aimlvideo/wan-go/conformance/simulator"
)

// Invalid options are rejected everywhere.
func TestWrongOptions(t *testing.T) {
	fault := func(change func(*simulator.Fault)) simulator.Option {
		f := simulator.Fault{Effect: simulator.Reset()}
		change(&f)
		return simulator.WithFaults(f)
	}
	effect := func(e simulator.Effect) simulator.Option { return simulator.WithFaults(simulator.Fault{Effect: e}) }
	tests := []struct {
		name   string
		option simulator.Option
		want   string // "" is none
	}{
		{"nil", nil, "an Option is nil"},
		{"rate above 1", simulator.WithFailureRate(7), "WithFailureRate: 7"},
		{"rate below 0", simulator.WithFailureRate(-1), "WithFailureRate: -1"},
		{"rate NaN", simulator.WithFailureRate(math.NaN()), "WithFailureRate: NaN"},
		{"rate 1", simulator.WithFailureRate(1), ""},
		{"negative body", simulator.WithMaxBody(-1), "WithMaxBody"},
		{"no body", simulator.WithMaxBody(0), "WithMaxBody"},
		{"negative retention", simulator.WithRetention(-time.Hour), "WithRetention: -1h"},
		{"no retention", simulator.WithRetention(0), ""},
		{"unknown model", simulator.WithTimeline(simulator.Complete(0, 0), "animate-mvoe"), `"animate-mvoe" isn't one of animate-move, `},
		{"key with a line break", simulator.WithKey("a\nb"), "WithKey"},
		{"key with a space behind", simulator.WithKey("a "), "WithKey"},
		{"negative balance", simulator.WithBalance(-1), "WithBalance: -1"},
		{"balance NaN", simulator.WithBalance(math.NaN()), "WithBalance: NaN"},
		{"negative delay of logs", simulator.WithLogDelay(-1), "WithLogDelay"},
		{"price of an unknown model", simulator.WithPrices(map[string]simulator.Price{"sora": {Kind: "variable"}}), `"sora" isn't one of animate-move, `},
		{"price of no kind", simulator.WithPrices(map[string]simulator.Price{"animate-move": {}}), "the kind"},
		{"fixed price without units", simulator.WithPrices(map[string]simulator.Price{"animate-move": {Kind: "fixed"}}), "units"},
		{"price per token", simulator.WithPrices(map[string]simulator.Price{"animate-move": {Kind: "fixed",
			Units: []simulator.Rate{{Measure: "token", Price: 1, Per: 1}}}}), `the unit "token"`},
		{"price for nothing", simulator.WithPrices(map[string]simulator.Price{"animate-move": {Kind: "fixed",
			Units: []simulator.Rate{{Measure: "second", Price: 1}}}}), "1 for 0 units"},
		{"no key", simulator.WithKey(""), ""},
		{"unknown operation", fault(func(f *simulator.Fault) { f.On = "sumbit" }), `a fault on "sumbit"`},
		{"negative probability", fault(func(f *simulator.Fault) { f.Probability = -7 }), "the probability -7"},
		{"probability NaN", fault(func(f *simulator.Fault) { f.Probability = math.NaN() }), "the probability NaN"},
		{"negative count", fault(func(f *simulator.Fault) { f.Times = -1 }), "-1 times"},
		{"negative delay", fault(func(f *simulator.Fault) { f.After = -1 }), "after -1"},
		{"no effect", effect(simulator.Effect{}), "without an effect"},
		{"status 42", effect(simulator.Status(42)), "the effect 42: 42 isn't a status code from 200 to 599"},
		{"message with status 1000", effect(simulator.Status(1000, "m")), "1000 isn't a status code"},
		{"retry with status 0", effect(simulator.RetryAfter(0, "2")), "0 isn't a status code"},
		{"page with status 100", effect(simulator.HTML(100)), "100 isn't a status code"},
		{"nothing with status 600", effect(simulator.Empty(600)), "600 isn't a status code"},
		{"redirect with status 200", effect(simulator.Redirect(200, "/")), "200 isn't a status code from 300 to 399"},
		{"status 599", effect(simulator.Status(599)), ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			srv, err := simulator.Listen("127.0.0.1:0", test.option)
			if err == nil {
				srv.Close()
			}
			for how, got := range map[string]string{
				"Listen":        fmt.Sprint(err),
				"Start":         fatal(func(tb simulator.TB) { simulator.Start(tb, test.option) }),
				"StartInMemory": fatal(func(tb simulator.TB) { simulator.StartInMemory(tb, test.option) }),
				"New":           panicked(func() { simulator.New(test.option) }),
			} {
				if test.want == "" && got != "<nil>" || !strings.Contains(got, test.want) {
					t.Errorf("%s: %s, want %q", how, got, test.want)
				}
				if test.want != "" && !strings.HasPrefix(got, "simulator: ") {
					t.Errorf("%s: %s doesn't say whose it is", how, got)
				}
			}
		})
	}
	if got := panicked(func() { simulator.New().Inject(simulator.Fault{On: "sumbit", Effect: simulator.Reset()}) }); !strings.Contains(got, "sumbit") {
		t.Errorf("Inject: %s", got)
	}
}

// fatal returns the message that ends a test, or "<nil>".
func fatal(start func(simulator.TB)) string {
	return panicked(func() {
		tb := new(fakeTB)
		defer tb.end()
		start(tb)
	})
}

// fakeTB is a TB that panics in Fatalf.
type fakeTB struct{ cleanups []func() }

func (*fakeTB) Helper()                        {}
func (t *fakeTB) Cleanup(f func())             { t.cleanups = append(t.cleanups, f) }
func (*fakeTB) Fatalf(format string, a ...any) { panic(fmt.Sprintf(format, a...)) }

func (t *fakeTB) end() {
	for _, f := range t.cleanups {
		f()
	}
}

func panicked(f func()) (text string) {
	defer func() { text = fmt.Sprint(recover()) }()
	f()
	return ""
}
