package api

import (
	"cmp"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/aimlvideo/wan-go/gen/account"
	"github.com/aimlvideo/wan-go/spec/redact"
)

// A Price is the price of a model in the catalogue.
type Price struct {
	// Model is the id of the model.
	Model string `json:"model"`
	// Kind decides what the price depends on: "fixed" has Units, "variants" has Dimensions and Variants, and "variable"
	// can't be quoted. Other words may come.
	Kind     string `json:"kind"`
	Currency string `json:"currency,omitempty"`
	Units    []Rate `json:"units,omitempty"`
	// Dimensions are the request properties that select a variant.
	Dimensions []string `json:"dimensions,omitempty"`
	Variants   []Rate   `json:"variants,omitempty"`
}

// String returns the price in one line, such as "$0.39 per second (resolution 720p)".
func (p *Price) String() string {
	var rates []string
	for _, rate := range slices.Concat(p.Units, p.Variants) {
		rates = append(rates, rate.text(p.Currency))
	}
	if rates == nil {
		return cmp.Or(redact.Line(p.Kind), "unknown")
	}
	return strings.Join(rates, "; ")
}

// A Rate is a price for a number of units.
type Rate struct {
	// Name is what is charged for; empty for a variant.
	Name string `json:"name,omitempty"`
	// Unit is what Per counts, such as "second" or "generation".
	Unit string `json:"unit"`
	// When selects a variant by the values of request properties.
	When map[string]any `json:"when,omitempty"`
	// Price is the price of Per units.
	Price float64 `json:"price"`
	Per   float64 `json:"per"`
}

func (r Rate) text(currency string) string {
	amount := strconv.FormatFloat(r.Price, 'f', -1, 64)
	if currency == "" || currency == "USD" {
		amount = "$" + amount
	} else {
		amount += " " + redact.Line(currency)
	}
	unit := redact.Line(r.Unit)
	if r.Per != 1 {
		unit = strconv.FormatFloat(r.Per, 'f', -1, 64) + " " + unit + "s"
	}
	var when []string
	for _, name := range slices.Sorted(maps.Keys(r.When)) {
		when = append(when, redact.Line(fmt.Sprint(name, " ", r.When[name])))
	}
	text := amount + " per " + unit
	if when != nil {
		text += " (" + strings.Join(when, ", ") + ")"
	}
	return text
}

// Price returns the price of a model, which it looks up by id and aliases. The specs have no prices, only the live
// catalogue has them. It returns an [*AccountError] if the catalogue can't be read or lacks the model or its price.
func (c *Client) Price(ctx context.Context, model string) (*Price, error) {
	request, err := account.NewListModelsRequest(c.baseURL+"/", &account.ListModelsParams{ID: []string{model}, Include: []string{"pricing"}})
	var list account.ModelList
	if err := c.account(ctx, "prices", request, err, &list); err != nil {
		return nil, err
	}
	for _, m := range list.Data {
		if m.ID != model && !slices.Contains(m.Aliases, model) || m.Pricing == nil || m.Pricing.Kind == nil {
			continue
		}
		p := &Price{Model: m.ID, Kind: string(*m.Pricing.Kind), Currency: value(m.Pricing.Currency), Dimensions: m.Pricing.Dimensions}
		for _, u := range m.Pricing.Units {
			p.Units = append(p.Units, Rate{Name: value(u.Name), Unit: value(u.Measure), Price: value(u.Price), Per: value(u.Per)})
		}
		for _, v := range m.Pricing.Variants {
			p.Variants = append(p.Variants, Rate{Unit: value(v.Unit), When: v.When, Price: value(v.Price), Per: value(v.Per)})
		}
		return p, nil
	}
	return nil, &AccountError{"prices", fmt.Errorf("the catalogue has no price of %.100q", model)}
}

func value[T any](p *T) (zero T) {
	if p == nil {
		return zero
	}
	return *p
}

// An Estimate is what a request will cost, as far as it can be known.
type Estimate struct {
	// USD is the estimate in US dollars; nil if it can't be known.
	USD *float64
	// Seconds is the length of the video that the request decides; nil if it decides none or the price doesn't need it.
	Seconds *float64
	// Reason says how the estimate was made, or why there is none.
	Reason string
}

// Estimate returns what a request will cost, by the price of its model in the catalogue: see [Price.Estimate]. It returns
// an [*InputError] for a request without a model or one that can't be encoded, and the errors of [Client.Price].
func (c *Client) Estimate(ctx context.Context, request any) (*Estimate, error) {
	r, err := readRequest(request)
	if err != nil {
		return nil, err
	}
	if r.model == "" {
		return nil, &InputError{Property: "model", Err: errors.New("required")}
	}
	price, err := c.Price(ctx, r.model)
	if err != nil {
		return nil, err
	}
	return price.estimate(r), nil
}

// Estimate returns what a request to the price's model will cost. Of a price per second, the length of the video is
// num_frames / frames_per_second where the request sets both, or that of a local MP4 video where the request matches its
// input or has no such properties. Properties that the request leaves out count as unknown. Estimate never guesses: if a
// figure is missing, USD is nil. It sends nothing. It returns an [*InputError] for a request that can't be encoded.
func (p *Price) Estimate(request any) (*Estimate, error) {
	r, err := readRequest(request)
	if err != nil {
		return nil, err
	}
	return p.estimate(r), nil
}

// A pricedRequest is a request as far as its price depends on it.
type pricedRequest struct {
	model   string
	members map[string]any
	video   Source // local video_url; zero if there is none
	framed  bool   // the model has num_frames, or may have it
}

func readRequest(request any) (*pricedRequest, error) {
	r := &pricedRequest{}
	encoded, err := encode(withModel(request), func(source Source, property string) (Source, error) {
		if property == "video_url" && source.IsLocal() {
			r.video = source
		}
		return URL("https://example.com"), nil
	})
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(encoded, &r.members); err != nil {
		return nil, err
	}
	r.model, _ = r.members["model"].(string)
	r.framed = true
	if t, ok := models[r.model]; ok {
		_, r.framed = t.FieldByName("NumFrames")
	}
	return r, nil
}

func (p *Price) estimate(r *pricedRequest) *Estimate {
	var rate Rate
	switch {
	case p.Currency != "" && p.Currency != "USD":
		return &Estimate{Reason: "the price is in " + p.Currency}
	case p.Kind == "fixed" && len(p.Units) == 1:
		rate = p.Units[0]
	case p.Kind == "variants":
		matches := slices.DeleteFunc(slices.Clone(p.Variants), func(v Rate) bool { return !v.mayMatch(r.members) })
		if len(matches) == 0 {
			return &Estimate{Reason: "no variant of the price matches the request"}
		}
		rate = matches[0]
		for _, other := range matches[1:] {
			if other.Price*rate.Per != rate.Price*other.Per || other.Unit != rate.Unit {
				return &Estimate{Reason: fmt.Sprintf("the price depends on %v, which the request doesn't set", p.Dimensions)}
			}
		}
	case p.Kind == "fixed":
		return &Estimate{Reason: fmt.Sprintf("the price has %d rates, and which of them apply isn't documented", len(p.Units))}
	default:
		return &Estimate{Reason: fmt.Sprintf("a price of kind %q can't be quoted", p.Kind)}
	}
	if !(rate.Price >= 0 && rate.Per > 0) {
		return &Estimate{Reason: "the price has no figures"}
	}
	switch rate.Unit {
	case "generation", "video", "request":
		return &Estimate{USD: new(rate.Price / rate.Per), Reason: "a fixed price per " + rate.Unit}
	case "second":
	default:
		return &Estimate{Reason: fmt.Sprintf("the price is per %q", rate.Unit)}
	}
	seconds, reason := r.seconds()
	if seconds <= 0 {
		return &Estimate{Reason: reason}
	}
	return &Estimate{USD: new(seconds * rate.Price / rate.Per), Seconds: &seconds, Reason: reason}
}

// mayMatch reports whether the request has the values of a variant, or doesn't set them.
func (r Rate) mayMatch(members map[string]any) bool {
	for name, want := range r.When {
		if got, ok := members[name]; ok && fmt.Sprint(got) != fmt.Sprint(want) {
			return false
		}
	}
	return true
}

// seconds returns the length of the video, or 0 and why it isn't known.
func (r *pricedRequest) seconds() (float64, string) {
	frames, hasFrames := r.members["num_frames"].(float64)
	rate, hasRate := r.members["frames_per_second"].(float64)
	matchFrames, matchRate := r.members["match_input_num_frames"] == true, r.members["match_input_frames_per_second"] == true
	switch {
	case matchFrames && matchRate, !r.framed:
		if r.video.IsZero() {
			return 0, "the length is that of the input, which isn't a local file"
		}
		seconds, err := duration(r.video)
		if err != nil {
			return 0, fmt.Sprintf("the length is that of the input: %v", err)
		}
		return seconds, "the length of the input"
	case matchFrames || matchRate:
		return 0, "the length depends on the input's frames"
	case hasFrames && hasRate && frames > 0 && rate > 0:
		return frames / rate, "num_frames / frames_per_second"
	}
	return 0, "the request doesn't set num_frames and frames_per_second"
}

// duration returns the length of a local MP4 or QuickTime video in seconds.
func duration(source Source) (float64, error) {
	text, err := source.Text()
	if err != nil {
		return 0, errors.New("only a file's length is known in advance")
	}
	content, err := source.Inspect(0)
	if err != nil {
		return 0, err
	}
	f, err := os.Open(text)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	box := io.NewSectionReader(f, 0, content.Size)
	for _, kind := range []string{"moov", "mvhd"} {
		if box, err = findBox(box, kind); err != nil {
			return 0, err
		}
	}
	head := make([]byte, 32)
	if n, err := box.ReadAt(head, 0); n < 20 {
		return 0, err
	}
	scale, length := binary.BigEndian.Uint32(head[12:]), uint64(binary.BigEndian.Uint32(head[16:]))
	if head[0] == 1 { // version 1 has 64-bit times
		scale, length = binary.BigEndian.Uint32(head[20:]), binary.BigEndian.Uint64(head[24:])
	}
	if scale == 0 || length == 0 || length == 1<<32-1 || length == 1<<64-1 {
		return 0, errors.New("the video doesn't state its length")
	}
	return float64(length) / float64(scale), nil
}

// findBox returns the content of the first box of a type in an MP4 file or in another box.
func findBox(r *io.SectionReader, kind string) (*io.SectionReader, error) {
	head := make([]byte, 16)
	for at := int64(0); at+8 <= r.Size(); {
		if n, err := r.ReadAt(head, at); n < 8 {
			return nil, err
		}
		size, header := int64(binary.BigEndian.Uint32(head)), int64(8)
		switch size {
		case 0:
			size = r.Size() - at
		case 1:
			size, header = int64(binary.BigEndian.Uint64(head[8:])), 16 //nolint:gosec // a negative size is refused
		}
		if size < header || size > r.Size()-at {
			break
		}
		if string(head[4:8]) == kind {
			return io.NewSectionReader(r, at+header, size-header), nil
		}
		at += size
	}
	return nil, errors.New("not an MP4 video that states its length")
}
