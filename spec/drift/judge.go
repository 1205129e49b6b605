package main

import "github.com/getkin/kin-openapi/openapi3"

// How the set of allowed values changes from ours to theirs.
const (
	narrower = "narrower"
	wider    = "wider"
	other    = "other"
)

// change returns how a changed keyword changes the set of allowed values. A missing keyword is no restriction.
func change(keyword string, ours, theirs any) string {
	our, ourIsNumber := ours.(float64)
	their, theirIsNumber := theirs.(float64)
	numbers := ourIsNumber && theirIsNumber
	switch keyword {
	case "nullable": // allows more, unlike all others
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

// judge returns what a change of the allowed values means for a caller.
func judge(d direction, change string) (grade, means string) {
	switch {
	case d == inRequest && change == wider:
		return compatible, "the API accepts more than our spec allows"
	case d == inRequest && change == narrower:
		return breaking, "the API may reject requests that our spec allows"
	case d == inRequest:
		return breaking, "the API may reject or reinterpret requests that our spec allows"
	case change == narrower:
		return compatible, "responses still conform to our spec"
	}
	return breaking, "responses may contain what callers do not expect"
}

// judgeDefault grades a changed default as breaking: the same request succeeds but generates, and costs, something else.
func judgeDefault(ours, theirs any) string {
	if ours != nil && theirs != nil {
		return breaking
	}
	return compatible
}

func meaningOfDefault(ours, theirs any) string {
	switch {
	case ours == nil:
		return "the default is now documented"
	case theirs == nil:
		return "the default is no longer documented"
	}
	return "requests that omit it get something else, without an error"
}
