package main

import "github.com/getkin/kin-openapi/openapi3"

// ofDeprecation is what it means to a caller.
const ofDeprecation = "what is deprecated goes away some day"

// How the values that a keyword allows have changed, from ours to theirs.
const (
	narrower = "narrower"
	wider    = "wider"
	other    = "other"
)

// change says what a keyword does to the values that are allowed. Without a keyword there is no restriction.
func change(keyword string, ours, theirs any) string {
	our, ourIsNumber := ours.(float64)
	their, theirIsNumber := theirs.(float64)
	numbers := ourIsNumber && theirIsNumber
	switch keyword {
	case "nullable": // the one that loosens
		if theirs == true {
			return wider
		}
		return narrower
	case "exclusiveMinimum", "exclusiveMaximum":
		if ours == true {
			return wider
		}
		if theirs == true {
			return narrower
		}
	}
	switch {
	case theirs == nil:
		return wider
	case ours == nil:
		return narrower
	case ours == openapi3.TypeInteger && theirs == openapi3.TypeNumber:
		return wider
	case ours == openapi3.TypeNumber && theirs == openapi3.TypeInteger:
		return narrower
	}
	switch keyword {
	case "minimum", "minLength", "minItems", "minProperties", "exclusiveMinimum":
		return byOrder(numbers, their > our)
	case "maximum", "maxLength", "maxItems", "maxProperties", "exclusiveMaximum":
		return byOrder(numbers, their < our)
	}
	return other
}

func byOrder(numbers, isNarrower bool) string {
	switch {
	case !numbers:
		return other
	case isNarrower:
		return narrower
	}
	return wider
}

// judge says what a change of the allowed values means to a caller.
func judge(d direction, change string) (grade, means string) {
	switch {
	case d == inRequest && change == wider:
		return compatible, "the API takes more than our document allows"
	case d == inRequest && change == narrower:
		return breaking, "the API may reject requests that our spec allows"
	case d == inRequest:
		return breaking, "the API may reject or reinterpret requests that our spec allows"
	case change == narrower:
		return compatible, "answers stay within our document"
	}
	return breaking, "answers may hold what callers don't expect"
}

// judgeDefault takes a change of a default seriously: nothing fails, and yet the same request makes, and costs,
// something else.
func judgeDefault(ours, theirs any) string {
	if ours != nil && theirs != nil {
		return breaking
	}
	return compatible
}

func meaningOfDefault(ours, theirs any) string {
	switch {
	case ours == nil:
		return "it is now known what requests get that leave it out"
	case theirs == nil:
		return "it is no longer documented what requests get that leave it out"
	}
	return "requests that leave it out get something else, without an error"
}
