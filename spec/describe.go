package spec

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

// Describe returns the values that a schema accepts in words: "an integer from 81 to 241", "one of auto, 16:9, 1:1, 9:16".
func Describe(schema *openapi3.Schema) string {
	switch {
	case len(schema.Enum) > 0:
		values := make([]string, len(schema.Enum))
		for i, v := range schema.Enum {
			if values[i] = fmt.Sprint(v); v == nil {
				values[i] = "null"
			}
		}
		if len(values) == 1 {
			return values[0]
		}
		return "one of " + strings.Join(values, ", ")
	case len(schema.OneOf)+len(schema.AnyOf) > 0:
		var texts []string
		for _, ref := range slices.Concat(schema.OneOf, schema.AnyOf) {
			if texts = append(texts, Describe(ref.Value)); len(ref.Value.Required) > 0 {
				texts[len(texts)-1] = "an object with " + strings.Join(ref.Value.Required, " and ")
			}
		}
		return strings.Join(texts, " or ")
	case schema.Type.Is(openapi3.TypeInteger):
		return "an integer" + describeBounds(schema.Min, schema.Max)
	case schema.Type.Is(openapi3.TypeNumber):
		return "a number" + describeBounds(schema.Min, schema.Max)
	case schema.Type.Is(openapi3.TypeBoolean):
		return "a boolean"
	case schema.Type.Is(openapi3.TypeArray) && schema.MaxItems != nil:
		return fmt.Sprintf("an array of at most %d", *schema.MaxItems)
	case schema.Type.Is(openapi3.TypeArray):
		return "an array"
	case schema.Type.Is(openapi3.TypeObject):
		return "an object"
	case schema.Format == "uri":
		return "a URL or a data URI"
	case schema.Format == "date-time":
		return "a date and time (RFC 3339)"
	case schema.Type.Is(openapi3.TypeString) && schema.MinLength > 0:
		return "a non-empty string"
	case schema.Type.Is(openapi3.TypeString):
		return "a string"
	default:
		return "another value"
	}
}

func describeBounds(low, high *float64) string {
	switch {
	case low != nil && high != nil:
		return " from " + formatNumber(*low) + " to " + formatNumber(*high)
	case low != nil:
		return " of at least " + formatNumber(*low)
	case high != nil:
		return " of at most " + formatNumber(*high)
	}
	return ""
}

func formatNumber(f float64) string {
	if f == math.Trunc(f) && math.Abs(f) < 1<<53 {
		return strconv.FormatInt(int64(f), 10)
	}
	return strconv.FormatFloat(f, 'g', -1, 64)
}
