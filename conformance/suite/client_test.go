package suite_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/aimlvideo/wan-go/api"
	"github.com/aimlvideo/wan-go/conformance"
	"github.com/aimlvideo/wan-go/conformance/simulator"
	"github.com/aimlvideo/wan-go/conformance/suite"
	"github.com/aimlvideo/wan-go/gen/animatemove"
	"github.com/aimlvideo/wan-go/gen/animatereplace"
	"github.com/aimlvideo/wan-go/gen/generation"
	"github.com/aimlvideo/wan-go/gen/vacefunpose"
	"github.com/aimlvideo/wan-go/gen/vacefunreframe"
)

// A modelClient submits requests, given as JSON, by the types of one model.
type modelClient struct {
	request reflect.Type
	// facade submits through package api.
	facade func(ctx context.Context, c *api.Client, body []byte) (id string, err error)
	// generated submits through the generated client.
	generated func(ctx context.Context, c *http.Client, body []byte) (id string, err error)
}

func newModelClient[T any](
	facade func(*api.Client, context.Context, T, ...api.SubmitOption) (*api.Job, error),
	generated func(context.Context, *http.Client, T) (*generation.Generation, error),
) modelClient {
	return modelClient{
		request: reflect.TypeFor[T](),
		facade: func(ctx context.Context, c *api.Client, body []byte) (string, error) {
			var request T
			if err := json.Unmarshal(body, &request); err != nil {
				return "", err
			}
			job, err := facade(c, ctx, request)
			if err != nil {
				return "", err
			}
			return job.ID(), nil
		},
		generated: func(ctx context.Context, c *http.Client, body []byte) (string, error) {
			var request T
			if err := json.Unmarshal(body, &request); err != nil {
				return "", err
			}
			g, err := generated(ctx, c, request)
			if err != nil {
				return "", err
			}
			return g.ID, nil
		},
	}
}

const server = "http://localhost"

var modelClients = map[string]modelClient{
	"animate-move": newModelClient((*api.Client).AnimateMove, func(ctx context.Context, c *http.Client, r animatemove.Request) (*generation.Generation, error) {
		client, err := animatemove.NewClientWithResponses(server, animatemove.WithHTTPClient(c), animatemove.WithRequestEditorFn(authorize))
		if err != nil {
			return nil, err
		}
		return responded(client.SubmitGenerationWithResponse(ctx, nil, r))(func(a *animatemove.SubmitGenerationResponse) *generation.Generation { return a.JSON200 })
	}),
	"animate-replace": newModelClient((*api.Client).AnimateReplace, func(ctx context.Context, c *http.Client, r animatereplace.Request) (*generation.Generation, error) {
		client, err := animatereplace.NewClientWithResponses(server, animatereplace.WithHTTPClient(c), animatereplace.WithRequestEditorFn(authorize))
		if err != nil {
			return nil, err
		}
		return responded(client.SubmitGenerationWithResponse(ctx, nil, r))(func(a *animatereplace.SubmitGenerationResponse) *generation.Generation { return a.JSON200 })
	}),
	"vace-fun-pose": newModelClient((*api.Client).VaceFunPose, func(ctx context.Context, c *http.Client, r vacefunpose.Request) (*generation.Generation, error) {
		client, err := vacefunpose.NewClientWithResponses(server, vacefunpose.WithHTTPClient(c), vacefunpose.WithRequestEditorFn(authorize))
		if err != nil {
			return nil, err
		}
		return responded(client.SubmitGenerationWithResponse(ctx, nil, r))(func(a *vacefunpose.SubmitGenerationResponse) *generation.Generation { return a.JSON200 })
	}),
	"vace-fun-reframe": newModelClient((*api.Client).VaceFunReframe, func(ctx context.Context, c *http.Client, r vacefunreframe.Request) (*generation.Generation, error) {
		client, err := vacefunreframe.NewClientWithResponses(server, vacefunreframe.WithHTTPClient(c), vacefunreframe.WithRequestEditorFn(authorize))
		if err != nil {
			return nil, err
		}
		return responded(client.SubmitGenerationWithResponse(ctx, nil, r))(func(a *vacefunreframe.SubmitGenerationResponse) *generation.Generation { return a.JSON200 })
	}),
}

// clientOf returns the client of a model.
func clientOf(t *testing.T, slug string) modelClient {
	t.Helper()
	m, ok := modelClients[slug]
	if !ok {
		t.Fatalf("modelClients lacks %s: add its method of api.Client and its generated client", slug)
	}
	return m
}

func authorize(_ context.Context, r *http.Request) error {
	r.Header.Set("Authorization", "Bearer "+goodKey)
	return nil
}

// responded returns the generation in a response.
func responded[R any](response R, err error) func(func(R) *generation.Generation) (*generation.Generation, error) {
	return func(take func(R) *generation.Generation) (*generation.Generation, error) {
		if err != nil {
			return nil, err
		}
		if g := take(response); g != nil {
			return g, nil
		}
		return nil, errors.New("the response isn't 200 with JSON")
	}
}

// A wire connects a client to the simulator. It keeps the last request body and the findings.
type wire struct {
	transport *conformance.Transport
	next      http.RoundTripper
	body      []byte
}

func newWire() *wire {
	w := &wire{next: handlerTransport{simulator.New(simulator.WithKey(goodKey), simulator.WithTimeline(simulator.Complete(0, 0)))}}
	w.transport = &conformance.Transport{Base: w}
	return w
}

func (w *wire) client() *http.Client { return &http.Client{Transport: w.transport} }

func (w *wire) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Method == http.MethodPost {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		w.body = body
		r.Body = io.NopCloser(bytes.NewReader(body))
	}
	return w.next.RoundTrip(r)
}

// accepted returns the cases that a client can send: valid bodies in plain submissions.
func accepted() (list []suite.Case) {
	for _, c := range suite.Cases() {
		if c.Accepted && c.Request.Header == nil && c.Request.Large == 0 && !c.Request.Chunked && c.Request.Method == http.MethodPost && c.Request.Query == "" {
			list = append(list, c)
		}
	}
	return list
}

// decodeMembers decodes a body so that numbers compare by value.
func decodeMembers(t *testing.T, body []byte) map[string]any {
	t.Helper()
	var members map[string]any
	if err := json.Unmarshal(body, &members); err != nil {
		t.Fatalf("%v in %.200s", err, body)
	}
	return members
}

// The facade sends requests given as maps unchanged, including unlisted members, and no violation passes in either direction.
func TestFacade(t *testing.T) {
	t.Parallel()
	w := newWire()
	client, err := api.New(api.WithBaseURL(server), api.WithAPIKey(goodKey), api.WithHTTPClient(w.client()))
	if err != nil {
		t.Fatal(err)
	}
	cases := accepted()
	for _, c := range cases {
		var request map[string]json.RawMessage
		if err := json.Unmarshal(c.Request.Body, &request); err != nil {
			t.Fatalf("%s: %v", c.Name, err)
		}
		job, err := client.Submit(t.Context(), request)
		if err != nil {
			t.Errorf("%s: %v", c.Name, err)
			continue
		}
		if want, got := decodeMembers(t, c.Request.Body), decodeMembers(t, w.body); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: sent %.300s for %.300s", c.Name, w.body, c.Request.Body)
		}
		if g, err := job.Poll(t.Context()); err != nil || g.Video == nil {
			t.Errorf("%s: %v", c.Name, err)
		}
	}
	for _, f := range w.transport.Findings() {
		if f.Rule != "properties" || f.Status != 0 {
			t.Errorf("found %v", f)
		}
	}
	if len(cases) < 1000 {
		t.Errorf("only %d cases", len(cases))
	}
}

// Typed requests are sent unchanged by the facade and the generated clients, with three exceptions: an int decodes neither
// 81.0 nor 2^64, an empty list is absent, and the facade rejects an empty required prompt.
func TestTypedClients(t *testing.T) {
	t.Parallel()
	w := newWire()
	client, err := api.New(api.WithBaseURL(server), api.WithAPIKey(goodKey), api.WithHTTPClient(w.client()))
	if err != nil {
		t.Fatal(err)
	}
	var sent, numbers, empty int
	for _, c := range accepted() {
		body, want := documented(t, c.Request.Body)
		submission, _ := conformance.CheckSubmission(body)
		m := clientOf(t, submission.Document.Slug)
		for way, submit := range map[string]func() (string, error){
			"facade":    func() (string, error) { return m.facade(t.Context(), client, body) },
			"generated": func() (string, error) { return m.generated(t.Context(), w.client(), body) },
		} {
			id, err := submit()
			mismatch, input := (*json.UnmarshalTypeError)(nil), (*api.InputError)(nil)
			switch {
			case errors.As(err, &mismatch) && mismatch.Type.Kind() == reflect.Int && isFloat(mismatch.Value):
				numbers++
			case errors.As(err, &input) && way == "facade" && input.Property == "prompt" && want["prompt"] == "":
				empty++
			case err != nil || id == "":
				t.Errorf("%s by the %s client: %q, %v", c.Name, way, id, err)
			default:
				sent++
				if got := decodeMembers(t, w.body); !reflect.DeepEqual(got, want) {
					t.Errorf("%s by the %s client: sent %.300s for %.300s", c.Name, way, w.body, c.Request.Body)
				}
			}
		}
	}
	if findings := w.transport.Findings(); findings != nil {
		t.Errorf("%d findings, the first is %v", len(findings), findings[0])
	}
	t.Logf("%d sent, %d numbers that int can't decode, %d empty prompts", sent, numbers, empty)
	if sent < 2500 || numbers > sent/10 {
		t.Errorf("only %d sent", sent)
	}
}

// isFloat reports whether encoding/json rejected a number that isn't an int literal.
func isFloat(complaint string) bool {
	text, ok := strings.CutPrefix(complaint, "number ")
	_, err := strconv.Atoi(text)
	return ok && err != nil
}

// documented removes the members that the types can't express, and returns the body as JSON and decoded.
func documented(t *testing.T, body []byte) ([]byte, map[string]any) {
	t.Helper()
	submission, _ := conformance.CheckSubmission(body)
	var members map[string]json.RawMessage
	if err := json.Unmarshal(body, &members); err != nil {
		t.Fatal(err)
	}
	for name := range members {
		if submission.Document.Request().Properties[name] == nil || string(members[name]) == "[]" {
			delete(members, name)
		}
	}
	body, err := json.Marshal(members)
	if err != nil {
		t.Fatal(err)
	}
	return body, decodeMembers(t, body)
}
