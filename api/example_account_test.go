package api_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	wan "github.com/aimlvideo/wan-go/api"
	"github.com/aimlvideo/wan-go/conformance/simulator"
	"github.com/aimlvideo/wan-go/gen/animatemove"
)

// A lost response isn't a lost job: look the submission up by its client request id before you submit again.
func ExampleClient_FindSubmission() {
	client, stop := simulate(simulator.Complete(0, 0), simulator.Fault{On: simulator.Submit, Effect: simulator.Drop()})
	defer stop()
	ctx := context.Background()

	submitted := time.Now()
	_, err := client.AnimateMove(ctx, move)
	unknown, ok := errors.AsType[*wan.UnknownOutcomeError](err)
	if !ok {
		log.Fatal(err)
	}
	found, err := client.FindSubmission(ctx, unknown.ClientRequestID, submitted)
	if err != nil {
		log.Fatal(err) // a SubmissionNotFoundError means "not yet": look again later
	}
	video, err := found.Job.Wait(ctx)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(video.GenerationID == found.Job.ID(), *found.Usage.USD, "USD")
	// Output: true 0.21 USD
}

// All unknown submissions are found in one pass through the logs.
func ExampleClient_Submissions() {
	client, stop := simulate(simulator.Complete(0, 0))
	defer stop()
	ctx := context.Background()

	began := time.Now()
	for _, id := range []string{"clip-1", "clip-2"} {
		if _, err := client.AnimateMove(ctx, move, wan.WithClientRequestID(id)); err != nil {
			log.Fatal(err)
		}
	}
	unknown := map[string]bool{"clip-1": true}
	for found, err := range client.Submissions(ctx, began) {
		if err != nil {
			log.Fatal(err)
		}
		if unknown[found.ClientRequestID] {
			fmt.Println(found.ClientRequestID, found.Confirm(ctx), found.Failed)
		}
	}
	// Output: clip-1 <nil> false
}

func ExampleClient_Balance() {
	client, stop := simulate(simulator.Complete(0, 0))
	defer stop()

	balance, err := client.Balance(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(balance.USD, balance.Currency)
	// Output: 1e+06 USD
}

func ExampleClient_Price() {
	client, stop := simulate(simulator.Complete(0, 0))
	defer stop()

	price, err := client.Price(context.Background(), string(animatemove.ModelID))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(price)
	// Output: $0.21 per generation
}

// The cost is known before the submission, or the reason why not.
func ExampleClient_Estimate() {
	client, stop := simulate(simulator.Complete(0, 0))
	defer stop()

	estimate, err := client.Estimate(context.Background(), move)
	if err != nil {
		log.Fatal(err)
	}
	if estimate.USD == nil {
		log.Fatal("unknown: ", estimate.Reason)
	}
	fmt.Println(*estimate.USD, "USD:", estimate.Reason)
	// Output: 0.21 USD: a fixed price per generation
}
