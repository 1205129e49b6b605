package main

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"go.yaml.in/yaml/v3"

	"github.com/aimlvideo/wan-go/conformance/simulator"
	"github.com/aimlvideo/wan-go/spec/wire"
)

type simulateOptions struct {
	*console

	opts               []simulator.Option // of the flags that are parsed at once
	addr, key          string
	queued, generating time.Duration
	retention          time.Duration
	fail               float64
	seed               uint64
	seeded             bool
	maxBody            int64
	log                string
	balance            float64
	logDelay           time.Duration
	control            bool
	state              string
	tlsCert, tlsKey    string
	config, probe      string
	configSchema       bool
	prices             map[string]simulator.Price // of the config file
	lines              lineQueue                  // of the log
}

func newSimulate(c *console) *cobra.Command {
	o := &simulateOptions{console: c}
	command := &cobra.Command{
		Use:   "simulate",
		Short: "Run a simulator of the API",
		Long: "Run a simulator of the API on this machine until Ctrl-C. It validates requests, moves generations " +
			"through their statuses, serves playable videos and shows it all on a web page. Nothing costs " +
			"anything.\n\n" +
			"A fault is OPERATION=EFFECT, then *N for the first N requests or @P for the probability P.\n" +
			"Operations: submit, poll, download, logs, billing, models. Effects:\n" + strings.TrimRight(simulator.EffectHelp(), "\n") + "\n\n" +
			"A timeline is STATUS DURATION, separated by commas: 'queued 1s, error NSFW \"refused\"'.\n\n" +
			"Programs in any language control the simulator over HTTP, see /simulator/openapi.json, and set the timeline " +
			"of a submission with the header X-Simulator-Timeline. The API's own spec is at /openapi.json.",
		Example: "  wan simulate --addr 127.0.0.1:8080 --generating 10s --fault 'poll=503*3' --fault 'submit=drop@0.1'",
		GroupID: "servers",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			switch {
			case o.configSchema:
				return printConfigSchema(o.stdout, cmd.Flags())
			case o.probe != "":
				return runProbe(cmd.Context(), o.probe)
			}
			if err := o.readConfig(cmd.Flags()); err != nil {
				return inputError(err)
			}
			o.seeded = cmd.Flags().Changed("seed")
			return runSimulate(cmd.Context(), o)
		},
	}
	o.add(command.Flags())
	return command
}

func (o *simulateOptions) add(flags *pflag.FlagSet) {
	flags.StringVar(&o.addr, "addr", "127.0.0.1:8080", "`ADDRESS` to listen on; port 0 chooses a free one")
	flags.StringVar(&o.key, "key", "", "the only API `KEY` to accept; any if not given, which wan conformance objects to")
	flags.DurationVar(&o.queued, "queued", time.Second, "how long a generation is queued")
	flags.DurationVar(&o.generating, "generating", 2*time.Second, "how long it is generating after that")
	flags.Float64Var(&o.fail, "fail", 0, "the probability, from 0 to 1, that a generation fails")
	flags.Uint64Var(&o.seed, "seed", 0, "make ids and random choices repeatable")
	flags.Func("fault", "a `FAULT`; may be repeated", func(text string) error {
		fault, err := simulator.ParseFault(text)
		o.opts = append(o.opts, simulator.WithFaults(fault))
		return err
	})
	flags.Int64Var(&o.maxBody, "max-body", 256<<20, "the largest submission in bytes")
	flags.DurationVar(&o.retention, "retention", time.Hour, "how long a generation is kept after its end")
	flags.Func("timeline", "the `TIMELINE` of each generation, instead of --queued and --generating", func(text string) error {
		timeline, err := simulator.ParseTimeline(text)
		o.opts = append(o.opts, simulator.WithTimeline(timeline))
		return err
	})
	flags.Func("model-timeline", "the timeline of one model, as `SLUG=TIMELINE`; may be repeated", func(text string) error {
		slug, timeline, _ := strings.Cut(text, "=")
		parsed, err := simulator.ParseTimeline(timeline)
		o.opts = append(o.opts, simulator.WithTimeline(parsed, slug))
		return err
	})
	flags.Func("latency", "delay each request: `DURATION`, or a range such as 50ms..2s", o.setLatency)
	flags.Float64Var(&o.balance, "balance", 1e6, "the balance of the account in `USD`")
	flags.Lookup("balance").DefValue = "1000000" // not 1e+06
	flags.DurationVar(&o.logDelay, "log-delay", 0, "the delay of rows in the account's logs")
	flags.BoolVar(&o.control, "control", false, "allow other machines to control the simulator")
	flags.StringVar(&o.state, "state", "", "keep the generations in a `FILE`, so that they survive a restart")
	flags.Func("replay", "repeat the generations that wan proxy --record has written to a `DIR`", func(path string) error {
		o.opts = append(o.opts, simulator.WithReplay(os.DirFS(path)))
		return nil
	})
	flags.StringVar(&o.tlsCert, "tls-cert", "", "speak TLS and HTTP/2 with the certificate in a PEM `FILE`")
	flags.StringVar(&o.tlsKey, "tls-key", "", "the `FILE` with the key of the certificate")
	flags.StringVar(&o.log, "log", "text", "the `FORMAT` of the log: text, json or none")
	flags.StringVar(&o.config, "config", "", "read flags from a YAML `FILE`; flags on the command line come first")
	flags.BoolVar(&o.configSchema, "config-schema", false, "print the JSON Schema of the config file and exit")
	flags.StringVar(&o.probe, "probe", "", "check that a simulator responds at a `URL` and exit")
}

func runSimulate(ctx context.Context, o *simulateOptions) error {
	opts, err := o.options()
	if err != nil {
		return inputError(err)
	}
	server, err := simulator.Listen(o.addr, opts...)
	if err != nil {
		return inputError(err)
	}
	fmt.Fprintf(o.stdout, "listening on %s\n", server.URL)
	if o.log != "json" { // nothing but JSON on stderr
		o.printHints(server.URL)
	}
	defer o.lines.writes.Wait()
	defer server.Close()
	defer context.AfterFunc(ctx, server.Close)()
	return server.Wait()
}

// printHints prints what to paste into a shell and a browser.
func (o *simulateOptions) printHints(url string) {
	key := " AIML_API_KEY=any-key"
	if o.key != "" {
		key = "   # and AIML_API_KEY as given"
	}
	fmt.Fprintf(o.stderr, "page:    %s/\ncontrol: %[1]s/simulator/openapi.json\npaste:   export AIML_API_BASE=%[1]s%s\n", url, key)
	if host, _, _ := net.SplitHostPort(o.addr); !wire.IsLoopback(host) {
		access := "they can't use the control API without --control"
		if o.control {
			access = "they can use the control API"
		}
		fmt.Fprintf(o.stderr, "network: other machines can reach it; %s\n", access)
	}
}

func (o *simulateOptions) options() ([]simulator.Option, error) {
	switch {
	case o.addr == "":
		return nil, errNoAddr
	case !(o.fail >= 0 && o.fail <= 1):
		return nil, fmt.Errorf("--fail: %v isn't a probability", o.fail)
	case o.queued < 0 || o.generating < 0:
		return nil, errors.New("--queued and --generating can't be negative")
	case o.retention <= 0 || o.maxBody <= 0:
		return nil, errors.New("--retention and --max-body have to be positive")
	case (o.tlsCert == "") != (o.tlsKey == ""):
		return nil, errors.New("--tls-cert and --tls-key belong together")
	}
	opts := []simulator.Option{
		simulator.WithKey(o.key),
		simulator.WithTimeline(simulator.Complete(o.queued, o.generating)),
		simulator.WithFailureRate(o.fail),
		simulator.WithMaxBody(o.maxBody),
		simulator.WithRetention(o.retention),
		simulator.WithBalance(o.balance),
		simulator.WithLogDelay(o.logDelay),
		simulator.WithPrices(o.prices),
		simulator.WithState(o.state),
	}
	o.lines.w = o.stderr
	switch o.log {
	case "text":
		opts = append(opts, simulator.WithLog(func(e simulator.Entry) { fmt.Fprintln(&o.lines, e) }))
	case "json":
		opts = append(opts, simulator.WithLog(func(e simulator.Entry) { _ = json.NewEncoder(&o.lines).Encode(e) }))
	case "none":
	default:
		return nil, fmt.Errorf("--log: %q isn't one of text, json, none", o.log)
	}
	if o.control {
		opts = append(opts, simulator.WithControl())
	}
	if o.seeded {
		opts = append(opts, simulator.WithSeed(o.seed))
	}
	if o.tlsCert != "" {
		certificate, err := tls.LoadX509KeyPair(o.tlsCert, o.tlsKey)
		if err != nil {
			return nil, fmt.Errorf("--tls-cert: %w", err)
		}
		opts = append(opts, simulator.WithCertificate(certificate))
	}
	return append(opts, o.opts...), nil
}

func (o *simulateOptions) setLatency(text string) error {
	low, high, isRange := strings.Cut(text, "..")
	if !isRange {
		high = low
	}
	from, err1 := time.ParseDuration(low)
	to, err2 := time.ParseDuration(high)
	if err1 != nil || err2 != nil {
		return errors.New("neither a duration nor a range such as 50ms..2s")
	}
	o.opts = append(o.opts, simulator.WithLatency(from, to))
	return nil
}

// notConfigurable are the flags that a config file can't set.
var notConfigurable = []string{"config", "config-schema", "probe", "help"}

// readConfig sets the flags that the config file names and the command line doesn't.
func (o *simulateOptions) readConfig(flags *pflag.FlagSet) error {
	if o.config == "" {
		return nil
	}
	text, err := os.ReadFile(o.config)
	if err != nil {
		return fmt.Errorf("--config: %w", err)
	}
	var config struct {
		Prices map[string]simulator.Price `yaml:"prices"`
		Flags  map[string]any             `yaml:",inline"`
	}
	if err := yaml.Unmarshal(text, &config); err != nil {
		return fmt.Errorf("--config: %s: %w", o.config, err)
	}
	o.prices = config.Prices
	for name, value := range config.Flags {
		flag := flags.Lookup(name)
		if flag == nil || slices.Contains(notConfigurable, name) {
			return fmt.Errorf("--config: %s: unknown key %q", o.config, name)
		}
		if flag.Changed {
			continue
		}
		values, isList := value.([]any)
		if !isList {
			values = []any{value}
		} else if !repeatable(flag) {
			return fmt.Errorf("--config: %s: %s isn't a list", o.config, name)
		}
		for _, v := range values {
			if err := flags.Set(name, fmt.Sprint(v)); err != nil {
				return fmt.Errorf("--config: %s: %s: %w", o.config, name, err)
			}
		}
	}
	return nil
}

func repeatable(flag *pflag.Flag) bool { return strings.HasSuffix(flag.Usage, "may be repeated") }

// printConfigSchema prints the JSON Schema of the config file: the flags, and the prices.
func printConfigSchema(w io.Writer, flags *pflag.FlagSet) error {
	properties := map[string]any{"prices": map[string]any{
		"type": "object", "description": "prices by slug, as in the control API's spec", "additionalProperties": map[string]any{"type": "object"},
	}}
	flags.VisitAll(func(flag *pflag.Flag) {
		if slices.Contains(notConfigurable, flag.Name) {
			return
		}
		_, usage := pflag.UnquoteUsage(flag)
		property := map[string]any{"type": "string", "description": usage}
		switch flag.Value.Type() {
		case "bool":
			property["type"] = "boolean"
		case "float64":
			property["type"] = "number"
		case "int64", "uint64":
			property["type"] = "integer"
		}
		if repeatable(flag) {
			property["type"], property["items"] = "array", map[string]any{"type": "string"}
		}
		properties[flag.Name] = property
	})
	return printIndented(w, map[string]any{
		"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "wan simulate --config",
		"type": "object", "additionalProperties": false, "properties": properties,
	})
}

// runProbe returns an error unless a simulator responds. It serves health checks, so it accepts any certificate.
func runProbe(ctx context.Context, url string) error {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(url, "/")+"/healthz", nil)
	if err != nil {
		return inputError(fmt.Errorf("--probe: %w", err))
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}} //nolint:gosec // nothing secret is sent
	defer transport.CloseIdleConnections()
	response, err := transport.RoundTrip(request)
	if err != nil {
		return fmt.Errorf("--probe: %w", err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return errors.New("--probe: status " + response.Status)
	}
	return nil
}
