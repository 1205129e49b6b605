package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/aimlvideo/wan-go/conformance/simulator"
)

type simulateOptions struct {
	*console

	addr, key          string
	queued, generating time.Duration
	retention          time.Duration
	fail               float64
	seed               uint64
	seeded             bool
	maxBody            int64
	faults             []string
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
			"Operations: submit, poll, download. Effects:\n" + strings.TrimRight(simulator.EffectHelp(), "\n"),
		Example: "  wan simulate --addr 127.0.0.1:8080 --generating 10s --fault 'poll=503*3' --fault 'submit=drop@0.1'",
		GroupID: "servers",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			o.seeded = cmd.Flags().Changed("seed")
			return runSimulate(cmd.Context(), o)
		},
	}
	o.add(command.Flags())
	return command
}

func (o *simulateOptions) add(flags *pflag.FlagSet) {
	flags.SortFlags = false
	flags.StringVar(&o.addr, "addr", "127.0.0.1:8080", "`ADDRESS` to listen on; port 0 chooses a free one")
	flags.StringVar(&o.key, "key", "", "the only API `KEY` to accept; any if not given, which wan conformance objects to")
	flags.DurationVar(&o.queued, "queued", time.Second, "how long a generation is queued")
	flags.DurationVar(&o.generating, "generating", 2*time.Second, "how long it is generating after that")
	flags.Float64Var(&o.fail, "fail", 0, "the probability, from 0 to 1, that a generation fails")
	flags.Uint64Var(&o.seed, "seed", 0, "make ids and random choices repeatable")
	flags.StringArrayVar(&o.faults, "fault", nil, "a `FAULT`; may be repeated")
	flags.Int64Var(&o.maxBody, "max-body", 256<<20, "the largest submission in bytes")
	flags.DurationVar(&o.retention, "retention", time.Hour, "how long a generation is kept")
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
	return serve(ctx, server.Wait, func(ctx context.Context) error {
		err := server.Shutdown(ctx)
		if err != nil {
			server.Close()
		}
		return err
	})
}

func (o *simulateOptions) options() ([]simulator.Option, error) {
	switch {
	case o.addr == "":
		return nil, checkAddr(o.addr)
	case !(o.fail >= 0 && o.fail <= 1):
		return nil, fmt.Errorf("--fail: %v isn't a probability", o.fail)
	case o.queued < 0 || o.generating < 0:
		return nil, errors.New("--queued and --generating can't be negative")
	case o.retention <= 0 || o.maxBody <= 0:
		return nil, errors.New("--retention and --max-body have to be positive")
	}
	opts := []simulator.Option{
		simulator.WithKey(o.key),
		simulator.WithTimeline(simulator.Complete(o.queued, o.generating)),
		simulator.WithFailureRate(o.fail),
		simulator.WithMaxBody(o.maxBody),
		simulator.WithRetention(o.retention),
		simulator.WithLog(o.stderr),
	}
	if o.seeded {
		opts = append(opts, simulator.WithSeed(o.seed))
	}
	for _, text := range o.faults {
		fault, err := simulator.ParseFault(text)
		if err != nil {
			return nil, err
		}
		opts = append(opts, simulator.WithFaults(fault))
	}
	return opts, nil
}
