package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/aimlvideo/wan-go/conformance/simulator"
)

// newSimulate makes the command that runs the simulator.
func newSimulate() *cobra.Command {
	var (
		addr, key          string
		queued, generating time.Duration
		retention          time.Duration
		fail               float64
		seed               uint64
		maxBody            int64
		faults             []string
	)
	command := &cobra.Command{
		Use:   "simulate",
		Short: "Run a simulator of the API",
		Long: "Run a simulator of the API on this machine, until Ctrl-C. It validates what it gets, walks jobs\n" +
			"through their statuses, serves playable videos and shows all of it on a page. Nothing costs\n" +
			"anything.\n\n" +
			"A fault is OPERATION=EFFECT, then *N for the first N requests or @P for the probability P.\n" +
			"Operations: submit, poll, download. Effects:\n" + strings.TrimRight(simulator.EffectHelp(), "\n"),
		Example: "  wan simulate --addr 127.0.0.1:8080 --generating 10s --fault 'poll=503*3' --fault 'submit=drop@0.1'",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := checkAddr(addr); err != nil {
				return err
			}
			switch {
			case !(fail >= 0 && fail <= 1):
				return inputError(fmt.Errorf("--fail: %v is no probability", fail))
			case queued < 0 || generating < 0 || retention <= 0 || maxBody <= 0:
				return inputError(errors.New("--queued, --generating, --retention and --max-body can't be negative, the last two not 0"))
			}
			opts := []simulator.Option{
				simulator.WithKey(key),
				simulator.WithTimeline(simulator.Complete(queued, generating)),
				simulator.WithFailureRate(fail),
				simulator.WithMaxBody(maxBody),
				simulator.WithRetention(retention),
				simulator.WithLog(cmd.ErrOrStderr()),
			}
			if cmd.Flags().Changed("seed") {
				opts = append(opts, simulator.WithSeed(seed))
			}
			for _, text := range faults {
				fault, err := simulator.ParseFault(text)
				if err != nil {
					return inputError(err)
				}
				opts = append(opts, simulator.WithFaults(fault))
			}
			server, err := simulator.Listen(addr, opts...)
			if err != nil {
				return inputError(err)
			}
			fmt.Fprintf(cmd.OutOrStdout(), "listening on %s\n", server.URL)
			served := make(chan error, 1)
			go func() { served <- server.Wait() }()
			select {
			case <-cmd.Context().Done():
			case err := <-served:
				return err
			}
			ctx, cancel := context.WithTimeout(context.WithoutCancel(cmd.Context()), 2*time.Second)
			defer cancel()
			if server.Shutdown(ctx) != nil {
				breakOff(server)
			}
			return nil
		},
	}
	flags := command.Flags()
	flags.SortFlags = false
	flags.StringVar(&addr, "addr", "127.0.0.1:8080", "where to listen; port 0 chooses a free one")
	flags.StringVar(&key, "key", "", "the only API key to accept; without it, any will do, which wan conformance objects to")
	flags.DurationVar(&queued, "queued", time.Second, "how long a job is queued")
	flags.DurationVar(&generating, "generating", 2*time.Second, "how long a job is generating after that")
	flags.Float64Var(&fail, "fail", 0, "the probability, from 0 to 1, that a job fails")
	flags.Uint64Var(&seed, "seed", 0, "makes ids and chance repeatable")
	flags.StringArrayVar(&faults, "fault", nil, "a fault; may be given more than once")
	flags.Int64Var(&maxBody, "max-body", 256<<20, "the largest submission in bytes")
	flags.DurationVar(&retention, "retention", time.Hour, "how long a job is remembered")
	return command
}

// breakOff closes the server, but doesn't wait for ever for a log that nobody reads any more.
func breakOff(server *simulator.Server) {
	closed := make(chan struct{})
	go func() {
		defer close(closed)
		server.Close()
	}()
	select {
	case <-closed:
	case <-time.After(time.Second):
	}
}

// checkAddr refuses the empty address, which would be all of this machine's.
func checkAddr(addr string) error {
	if addr == "" {
		return inputError(errors.New("--addr is empty: it needs a host and a port such as 127.0.0.1:8080"))
	}
	return nil
}
