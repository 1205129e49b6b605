package suite

import (
	"context"
	"net/http"
	"slices"
	"strings"
)

// lifecycleRules check a generation over time.
func lifecycleRules() []rule {
	return []rule{
		{name: "submission-response", group: groupLifecycle, member: "status", submitted: true, check: submissionResponse,
			why: "the response to a submission is an unfinished generation with an id"},
		{name: "known-at-once", group: groupLifecycle, member: "id", stateful: true, check: knownAtOnce,
			why: "the returned id can be polled at once"},
		{name: "responses-match", group: groupLifecycle, check: responsesMatch,
			why: "every response about the generation matches the spec"},
		{name: "id-unchanged", group: groupLifecycle, member: "id", stateful: true, check: idUnchanged,
			why: "the id stays the same, byte for byte"},
		{name: "legal-order", group: groupLifecycle, member: "status", stateful: true, check: legalOrder,
			why: "the status moves from queued or waiting to generating or active to a final one, never back"},
		{name: "comes-to-an-end", group: groupLifecycle, member: "status", stateful: true, check: comesToAnEnd,
			why: "a generation completes or fails"},
		{name: "final-stays", group: groupLifecycle, member: "status", stateful: true, check: finalStays,
			why: "completed and error are final"},
		{name: "completed-has-url", group: groupLifecycle, member: "video", stateful: true, check: completedHasURL,
			why: "a completed generation has the URL of the video"},
		{name: "url-serves-a-video", group: groupLifecycle, member: "video", stateful: true, check: urlServesVideo,
			why: "the URL serves a whole video without the key"},
		{name: "video-only-when-completed", group: groupLifecycle, member: "video", stateful: true, check: videoOnlyWhenCompleted,
			why: "the video is null or absent before completion"},
		{name: "error-has-reason", group: groupLifecycle, member: "error", stateful: true, check: errorHasReason,
			why: "a failed generation has an error with name and message"},
		{name: "error-only-when-failed", group: groupLifecycle, member: "error", stateful: true, check: errorOnlyWhenFailed,
			why: "the error is null or absent unless the generation failed"},
		{name: "failed-costs-nothing", group: groupLifecycle, member: "meta", stateful: true, check: failedCostsNothing,
			why: "a failed generation isn't charged"},
		{name: "cost-not-negative", group: groupLifecycle, member: "meta", check: costNotNegative,
			why: "a cost is a number of at least 0"},
		{name: "cost-only-at-the-end", group: groupLifecycle, member: "meta", stateful: true, check: costOnlyAtTheEnd,
			why: "an unfinished generation isn't charged"},
		{name: "cost-stays", group: groupLifecycle, member: "meta", stateful: true, check: costStays,
			why: "the cost of a completed generation doesn't change"},
	}
}

func submissionResponse(_ context.Context, o *observation) verdict {
	if problems := o.target.violations(o.submit); problems != nil {
		return failures(o.submit, problems)
	}
	if o.submit.response.final() {
		return fail(o.submit, "the status is %s at submission", o.submit.response.Status)
	}
	return pass(o.submit)
}

func knownAtOnce(_ context.Context, o *observation) verdict {
	if len(o.polls) == 0 {
		return fail(o.submit, "no poll got a response")
	}
	if c := o.polls[0]; !c.accepted() {
		return fail(c, "the first poll: %s", c.outcome())
	}
	return pass(o.polls[0])
}

func responsesMatch(_ context.Context, o *observation) verdict {
	polls := slices.Concat(o.polls, o.after)
	if len(polls) == 0 {
		return fail(o.submit, "no poll got a response")
	}
	for _, c := range polls {
		if problems := o.target.violations(c); problems != nil {
			return failures(c, problems)
		}
		if c.err != nil || !c.accepted() {
			return fail(c, "a poll: %s", c.outcome())
		}
	}
	return pass(polls[len(polls)-1])
}

func idUnchanged(_ context.Context, o *observation) verdict {
	polls := o.successfulPolls()
	for _, c := range polls {
		if id := c.response.ID; id != o.id {
			return fail(c, "the id changed from %q to %q", o.id, id)
		}
	}
	if polls == nil {
		return fail(o.submit, noPoll)
	}
	return pass(polls[0])
}

// Ranks of statuses. Unlisted statuses have none: they mean that the generation is unfinished.
const (
	rankUnlisted = iota
	rankQueued
	rankGenerating
	rankFinal
)

func rank(status string) int {
	switch status {
	case "queued", "waiting":
		return rankQueued
	case "generating", "active":
		return rankGenerating
	case "completed", "error":
		return rankFinal
	}
	return rankUnlisted
}

func legalOrder(_ context.Context, o *observation) verdict {
	var seen []string
	highest := rankUnlisted
	for _, c := range o.responses() {
		status := c.response.Status
		if len(seen) == 0 || seen[len(seen)-1] != status {
			seen = append(seen, status)
		}
		switch r := rank(status); {
		case r == rankUnlisted:
		case r < highest:
			return fail(c, "the statuses were %s", strings.Join(seen, ", "))
		default:
			highest = r
		}
	}
	switch {
	case len(seen) < 2:
		return notApplicable("only one status was seen")
	case highest == rankUnlisted:
		return notApplicable("no listed status was seen")
	}
	return pass(o.responses()[0], o.polls[len(o.polls)-1])
}

func comesToAnEnd(_ context.Context, o *observation) verdict {
	if o.end() != nil {
		return pass(o.end())
	}
	if c := o.premature; c != nil {
		return fail(c, "a result is present, but the status %q isn't final", c.response.Status)
	}
	if n := len(o.polls); n > 0 {
		return fail(o.polls[n-1], "after %d polls the status is still %q", n, o.polls[n-1].response.Status)
	}
	return fail(o.submit, "no poll got a response")
}

// unlessEnded returns why a rule about a final status isn't applicable, or nil.
func (o *observation) unlessEnded(status string) *verdict {
	switch end := o.end(); {
	case end == nil:
		return new(notApplicable("no final status was seen"))
	case end.response.Status != status:
		return new(notApplicable("the final status is " + end.response.Status))
	}
	return nil
}

func finalStays(_ context.Context, o *observation) verdict {
	if o.end() == nil {
		return notApplicable("no final status was seen")
	}
	final := o.end().response.Status
	for _, c := range o.after {
		if !c.accepted() {
			return fail(c, "a poll after %s: %s", final, c.outcome())
		}
		if status := c.response.Status; status != final {
			return fail(c, "the status changed from %s to %q", final, status)
		}
	}
	if len(o.after) < afterPolls {
		return fail(o.end(), "there was no time to poll after the final status")
	}
	return pass(o.end(), o.after[len(o.after)-1])
}

func completedHasURL(_ context.Context, o *observation) verdict {
	if v := o.unlessEnded("completed"); v != nil {
		return *v
	}
	for _, c := range o.final() {
		if c.response.Status == "completed" && c.response.URL == "" {
			return fail(c, "completed without the URL of a video")
		}
	}
	return pass(o.end())
}

func urlServesVideo(_ context.Context, o *observation) verdict {
	if v := o.unlessEnded("completed"); v != nil {
		return *v
	}
	switch d := o.video; {
	case d == nil:
		return fail(o.end(), "there is no URL")
	case d.err != nil || d.status != http.StatusOK:
		return fail(d.call, "the video: %s", d.outcome())
	case d.problem != "":
		return fail(d.call, "%s", d.problem)
	}
	return pass(o.end(), o.video.call)
}

func videoOnlyWhenCompleted(_ context.Context, o *observation) verdict {
	return onlyWith(o, "completed", "video", func(b responseBody) any { return b.Video })
}

func errorOnlyWhenFailed(_ context.Context, o *observation) verdict {
	return onlyWith(o, "error", "error", func(b responseBody) any { return b.Error })
}

// onlyWith checks that a member is present with one status only.
func onlyWith(o *observation, status, name string, member func(responseBody) any) verdict {
	if o.successfulPolls() == nil {
		return notApplicable(noPoll)
	}
	checked := 0
	for _, c := range o.responses() {
		if c.response.Status == status {
			continue
		}
		checked++
		if member(c.response) != nil {
			return fail(c, "%s is present with the status %q", name, c.response.Status)
		}
	}
	if checked == 0 {
		return notApplicable("no status but " + status + " was seen")
	}
	return pass(o.responses()[0])
}

func errorHasReason(_ context.Context, o *observation) verdict {
	if v := o.unlessEnded("error"); v != nil {
		return *v
	}
	for _, c := range o.final() {
		reason, _ := c.response.Error.(map[string]any)
		name, _ := reason["name"].(string)
		message, _ := reason["message"].(string)
		if c.response.Status == "error" && (name == "" || message == "") {
			return fail(c, "failed without an error name and message")
		}
	}
	return pass(o.end())
}

func failedCostsNothing(_ context.Context, o *observation) verdict {
	if v := o.unlessEnded("error"); v != nil {
		return *v
	}
	for _, c := range o.final() {
		for name, cost := range c.costs() {
			if f, ok := cost.(float64); ok && f != 0 {
				return fail(c, "failed, but %s is %v", name, cost)
			}
		}
	}
	return pass(o.end())
}

func costNotNegative(_ context.Context, o *observation) verdict {
	if o.responses() == nil {
		return notApplicable(noPoll)
	}
	for _, c := range o.responses() {
		for name, cost := range c.costs() {
			if f, ok := cost.(float64); ok && f < 0 {
				return fail(c, "%s is %v", name, cost)
			}
		}
	}
	return pass(o.responses()...)
}

func costOnlyAtTheEnd(_ context.Context, o *observation) verdict {
	checked := 0
	for _, c := range o.responses() {
		if c.response.final() {
			continue
		}
		checked++
		for name, cost := range c.costs() {
			if f, ok := cost.(float64); ok && f != 0 {
				return fail(c, "%s is %v with the status %q", name, cost, c.response.Status)
			}
		}
	}
	if checked == 0 {
		return notApplicable("only final statuses were seen")
	}
	return pass(o.responses()[0])
}

func costStays(_ context.Context, o *observation) verdict {
	if v := o.unlessEnded("completed"); v != nil {
		return *v
	}
	seen := map[string]any{}
	for _, c := range o.final() {
		for name, cost := range c.costs() {
			switch before := seen[name]; {
			case cost == nil:
			case before != nil && before != cost:
				return fail(c, "%s changed from %v to %v", name, before, cost)
			default:
				seen[name] = cost
			}
		}
	}
	return pass(o.final()...)
}

// costs returns what a response says about the cost, by member and header name.
func (c *call) costs() map[string]any {
	return map[string]any{
		"credits_used":           c.response.Usage["credits_used"],
		"usd_spent":              c.response.Usage["usd_spent"],
		"x-aimlapi-credits-used": headerNumber(c.header, "X-Aimlapi-Credits-Used"),
		"x-aimlapi-usd-spent":    headerNumber(c.header, "X-Aimlapi-Usd-Spent"),
	}
}
