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
	"github.com/aimlvideo/wan-go/gen/generation"
)

// A modelClient submits requests, given as JSON, with the types of one model.
type modelClient struct {
	request reflect.Type
	facade  reflect.Value // the method of *api.Client
}

const server = "http://localhost"

// clientOf finds the method of *api.Client that submits the requests of a model.
func clientOf(t *testing.T, slug string) modelClient {
	t.Helper()
	name := strings.ReplaceAll(slug, "-", "")
	client := reflect.TypeFor[*api.Client]()
	for method := range client.Methods() {
		if strings.EqualFold(method.Name, name) && method.Type.NumIn() == 4 {
			request := method.Type.In(2)
			if !strings.HasSuffix(request.PkgPath(), "/gen/"+name) {
				t.Fatalf("Client.%s takes %s, not the request of %s", method.Name, request, slug)
			}
			return modelClient{request, method.Func}
		}
	}
	t.Fatalf("package api has no method for %s: add one to api/models.go", slug)
	return modelClient{}
}

// submitFacade submits with package api.
func (m modelClient) submitFacade(ctx context.Context, c *api.Client, body []byte) (id string, err error) {
	request := reflect.New(m.request)
	if err := json.Unmarshal(body, request.Interface()); err != nil {
		return "", err
	}
	results := m.facade.Call([]reflect.Value{reflect.ValueOf(c), reflect.ValueOf(ctx), request.Elem()})
	if err, _ := reflect.TypeAssert[error](results[1]); err != nil {
		return "", err
	}
	return results[0].Interface().(*api.Job).ID(), nil
}

// submitGenerated submits with the generated client.
func (m modelClient) submitGenerated(ctx context.Context, c *http.Client, body []byte) (id string, err error) {
	request := reflect.New(m.request)
	if err := json.Unmarshal(body, request.Interface()); err != nil {
		return "", err
	}
	client, err := generation.NewClientWithResponses(server, generation.WithHTTPClient(c), generation.WithRequestEditorFn(authorize))
	if err != nil {
		return "", err
	}
	response, err := client.SubmitGenerationWithResponse(ctx, nil, request.Elem().Interface())
	if err != nil {
		return "", err
	}
	if response.JSON200 == nil {
		return "", errors.New("the response isn't 200 with JSON")
	}
	return response.JSON200.ID, nil
}

func authorize(_ context.Context, r *http.Request) error {
	r.Header.Set("Authorization", "Bearer "+goodKey)
	return nil
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
			"facade":    func() (string, error) { return m.submitFacade(t.Context(), client, body) },
			"generated": func() (string, error) { return m.submitGenerated(t.Context(), w.client(), body) },
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
