package main

import "github.com/getkin/kin-openapi/openapi3"

// A verdict says what a difference means for a caller.
type verdict struct{ grade, means string }

// judge returns what a changed keyword means for a caller. A missing keyword is no restriction.
func judge(d direction, keyword string, ours, theirs any) verdict {
	switch keyword {
	case "deprecated":
		return verdict{compatible, "deprecated features disappear some day"}
	case "default":
		return judgeDefault(ours, theirs)
	}
	isNarrower, isWider := change(keyword, ours, theirs)
	switch {
	case d == inRequest && isWider:
		return verdict{compatible, "the API accepts more than our spec allows"}
	case d == inRequest && isNarrower:
		return verdict{breaking, "the API may reject requests that our spec allows"}
	case d == inRequest:
		return verdict{breaking, "the API may reject or reinterpret requests that our spec allows"}
	case isNarrower:
		return verdict{compatible, "responses still conform to our spec"}
	}
	return verdict{breaking, "responses may contain what callers do not expect"}
}

// judgeDefault grades a changed default as breaking: the same request succeeds but generates, and costs, something else.
func judgeDefault(ours, theirs any) verdict {
	switch {
	case ours == nil:
		return verdict{compatible, "the default is now documented"}
	case theirs == nil:
		return verdict{compatible, "the default is no longer documented"}
	}
	return verdict{breaking, "requests that omit it get something else, without an error"}
}

// change returns whether a keyword allows fewer or more values than ours; neither means others.
func change(keyword string, ours, theirs any) (isNarrower, isWider bool) {
	our, ourIsNumber := ours.(float64)
	their, theirIsNumber := theirs.(float64)
	numbers := ourIsNumber && theirIsNumber
	switch {
	case keyword == "nullable": // allows more, unlike all others
		return theirs != true, theirs == true
	case ours == true || theirs == nil:
		return false, true
	case theirs == true || ours == nil:
		return true, false
	case ours == openapi3.TypeInteger && theirs == openapi3.TypeNumber:
		return false, true
	case ours == openapi3.TypeNumber && theirs == openapi3.TypeInteger:
		return true, false
	}
	switch keyword {
	case "minimum", "minLength", "minItems", "minProperties", "exclusiveMinimum":
		return numbers && their > our, numbers && their < our
	case "maximum", "maxLength", "maxItems", "maxProperties", "exclusiveMaximum":
		return numbers && their < our, numbers && their > our
	}
	return false, false
}

// required judges a change of what is required.
func required(d direction, isNow bool) verdict {
	switch {
	case d == inRequest && isNow:
		return verdict{breaking, "the API rejects requests without it"}
	case d == inRequest:
		return verdict{compatible, "it may be omitted"}
	case isNow:
		return verdict{compatible, "it is always there"}
	}
	return verdict{breaking, "it may be missing from responses"}
}

// added judges what only their spec has.
func added(d direction, isRequired bool) verdict {
	switch {
	case d == inResponse:
		return verdict{compatible, "callers don't see it yet"}
	case isRequired:
		return required(d, true)
	}
	return verdict{compatible, "callers can't set it yet, except through Client.Submit"}
}
