package simulator

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/aimlvideo/wan-go/conformance"
	"github.com/aimlvideo/wan-go/spec"
)

// USDPerJob is the default cost of a completed job. The vendor's prices depend on the model and on the request: see
// [WithPrices].
const USDPerJob = 0.21

// creditsPerUSD is the documented rate.
const creditsPerUSD = 2_000_000

// A Price is the price of a model as the catalogue at /v1/models shows it. Kind is "fixed", "variants" or "variable".
type Price struct {
	Kind     string `json:"kind"               yaml:"kind"`
	Currency string `json:"currency,omitempty" yaml:"currency"`
	// Units are the rates of a fixed price. The first one is charged.
	Units []Rate `json:"units,omitempty" yaml:"units"`
	// Dimensions are the request properties that select a variant.
	Dimensions []string `json:"dimensions,omitempty" yaml:"dimensions"`
	Variants   []Rate   `json:"variants,omitempty"   yaml:"variants"`
}

// A Rate is a price for a number of units: "second" or "generation".
type Rate struct {
	// Name and Measure describe a unit of a fixed price. Measure is its unit.
	Name    string `json:"name,omitempty"    yaml:"name"`
	Measure string `json:"measure,omitempty" yaml:"measure"`
	// When selects a variant by request properties, Unit is its unit.
	When map[string]any `json:"when,omitempty" yaml:"when"`
	Unit string         `json:"unit,omitempty" yaml:"unit"`
	// Price is the price in USD for Per units.
	Price float64 `json:"price" yaml:"price"`
	Per   float64 `json:"per"   yaml:"per"`
}

func defaultPrice() Price {
	return Price{Kind: "fixed", Units: []Rate{{Name: "Video", Measure: "generation", Price: USDPerJob, Per: 1}}}
}

func checkPrices(prices map[string]Price) error {
	for slug, price := range prices {
		if err := checkSlug(slug); err != nil {
			return err
		}
		if err := price.check(); err != nil {
			return fmt.Errorf("%s: %w", slug, err)
		}
	}
	return nil
}

func (p Price) check() error {
	rates := append(slices.Clone(p.Units), p.Variants...)
	switch {
	case p.Kind == "fixed" && (len(p.Units) == 0 || p.Variants != nil):
		return errors.New("a fixed price has units only")
	case p.Kind == "variants" && (len(p.Variants) == 0 || len(p.Dimensions) == 0 || p.Units != nil):
		return errors.New("a price of kind variants has dimensions and variants only")
	case p.Kind == "variable" && rates != nil:
		return errors.New("a variable price has neither units nor variants")
	case !slices.Contains([]string{"fixed", "variants", "variable"}, p.Kind):
		return fmt.Errorf("the kind %q isn't one of fixed, variants, variable", p.Kind)
	}
	for _, rate := range rates {
		if unit := rate.unit(); unit != "second" && unit != "generation" {
			return fmt.Errorf("the unit %q isn't one of second, generation", unit)
		}
		if !(rate.Price >= 0 && rate.Per > 0) || math.IsInf(rate.Price/rate.Per, 0) {
			return fmt.Errorf("%v for %v units isn't a price", rate.Price, rate.Per)
		}
	}
	return nil
}

func (r Rate) unit() string { return r.Unit + r.Measure }

// credits returns the cost of a job.
func (p Price) credits(submission conformance.Submission) int {
	rate := Rate{Measure: "generation", Price: USDPerJob, Per: 1}
	switch p.Kind {
	case "fixed":
		rate = p.Units[0]
	case "variants":
		for _, variant := range p.Variants {
			if variant.matches(submission) {
				rate = variant
				break
			}
		}
	}
	units := 1.0
	if rate.unit() == "second" {
		units = seconds(submission)
	}
	return int(math.Round(rate.Price / rate.Per * units * creditsPerUSD))
}

func (r Rate) matches(submission conformance.Submission) bool {
	for name, want := range r.When {
		if fmt.Sprint(property(submission, name)) != fmt.Sprint(want) {
			return false
		}
	}
	return true
}

// unknownSeconds is the length of a video that the request doesn't decide: inputs are never fetched.
const unknownSeconds = 5

// seconds returns the length of the requested video.
func seconds(submission conformance.Submission) float64 {
	frames, rate := number(property(submission, "num_frames")), number(property(submission, "frames_per_second"))
	if property(submission, "match_input_num_frames") == true || property(submission, "match_input_frames_per_second") == true ||
		frames <= 0 || rate <= 0 {
		return unknownSeconds
	}
	return frames / rate
}

// property returns a property of the request or its default, or nil.
func property(submission conformance.Submission, name string) any {
	if value, ok := submission.Request[name]; ok {
		return value
	}
	if schema := submission.Document.Request().Properties[name]; schema != nil {
		return schema.Value.Default
	}
	return nil
}

func number(value any) float64 {
	n, _ := strconv.ParseFloat(fmt.Sprint(value), 64)
	return n
}

func credits(usd float64) int { return int(math.Round(usd * creditsPerUSD)) }

func usd(credits int) float64 { return float64(credits) / creditsPerUSD }

func checkSlug(slug string) error {
	var slugs []string
	for _, d := range spec.Models() {
		slugs = append(slugs, d.Slug)
	}
	if !slices.Contains(slugs, slug) {
		return fmt.Errorf("%q isn't one of %s", slug, strings.Join(slugs, ", "))
	}
	return nil
}
