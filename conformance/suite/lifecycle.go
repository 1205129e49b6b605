package suite

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// lifecycleRules are about a generation over time.
func lifecycleRules() []rule {
	return []rule{
		{name: "submission-answer", group: Lifecycle, submitted: true, check: submissionAnswer,
			why: "the answer to a submission is a generation that goes on, with an id"},
		{name: "known-at-once", group: Lifecycle, state: true, check: knownAtOnce,
			why: "with the id that was answered, the generation can be followed"},
		{name: "answers-match", group: Lifecycle, check: answersMatch,
			why: "every answer about it is a generation as the document describes it"},
		{name: "id-unchanged", group: Lifecycle, state: true, check: idUnchanged,
			why: "the id stays the same, to the letter"},
		{name: "legal-order", group: Lifecycle, state: true, check: legalOrder,
			why: "from queued or waiting to generating or active to the end, and never back"},
		{name: "comes-to-an-end", group: Lifecycle, state: true, check: comesToAnEnd,
			why: "a generation completes or fails some day"},
		{name: "final-stays", group: Lifecycle, state: true, check: finalStays,
			why: "completed and error are final"},
		{name: "completed-has-url", group: Lifecycle, state: true, check: completedHasURL,
			why: "once it is completed, the answer carries the URL of the video"},
		{name: "url-serves-a-video", group: Lifecycle, state: true, check: urlServesVideo,
			why: "the video can be fetched there without the key"},
		{name: "video-only-when-completed", group: Lifecycle, state: true, check: videoOnlyWhenCompleted,
			why: "the video is null or absent before"},
		{name: "error-has-reason", group: Lifecycle, state: true, check: errorHasReason,
			why: "once it has failed, the answer carries name and message"},
		{name: "error-only-when-failed", group: Lifecycle, state: true, check: errorOnlyWhenFailed,
			why: "the error is null or absent before"},
		{name: "failed-costs-nothing", group: Lifecycle, state: true, check: failedCostsNothing,
			why: "a failed generation isn't charged"},
	}
}

func submissionAnswer(_ context.Context, o *observation) verdict {
	if v := o.submit.violations(); v != nil {
		return fail(o.submit, "%s", strings.Join(v, "; "))
	}
	if status := o.submit.answer().Status; rank(status) == rankFinal {
		return fail(o.submit, "it is %s before it has begun", status)
	}
	return pass(o.submit)
}

func knownAtOnce(_ context.Context, o *observation) verdict {
	if len(o.polls) == 0 {
		return fail(o.submit, "no poll was answered")
	}
	if x := o.polls[0]; !x.accepted() {
		return fail(x, "the first poll: %s", x.outcome())
	}
	return pass(o.polls[0])
}

// outcome says in words what came of an exchange.
func (x *trip) outcome() string {
	if x.err != nil {
		return "no whole answer: " + x.err.Error()
	}
	return fmt.Sprintf("answered %d%s", x.status, quoted(x.answer().Message))
}

func answersMatch(_ context.Context, o *observation) verdict {
	polls := slices.Concat(o.polls, o.after)
	if len(polls) == 0 {
		return fail(o.submit, "no poll was answered")
	}
	for _, x := range polls {
		if x.err != nil {
			return fail(x, "%s", x.outcome())
		}
		if v := x.violations(); v != nil {
			return fail(x, "%s", strings.Join(v, "; "))
		}
		if !x.accepted() {
			return fail(x, "a poll was %s", x.outcome())
		}
	}
	return pass(polls[len(polls)-1])
}

func idUnchanged(_ context.Context, o *observation) verdict {
	polls := o.told()
	for _, x := range polls {
		if id := x.answer().ID; id != o.id {
			return fail(x, "the id is %q, it was %q", id, o.id)
		}
	}
	if polls == nil {
		return fail(o.submit, nothingTold)
	}
	return pass(polls[0])
}

// Ranks of statuses. A word that isn't listed has none: it means that the generation goes on.
const (
	rankUnlisted = iota
	rankQueued
	rankAtWork
	rankFinal
)

func rank(status string) int {
	switch status {
	case "queued", "waiting":
		return rankQueued
	case "generating", "active":
		return rankAtWork
	case "completed", "error":
		return rankFinal
	}
	return rankUnlisted
}

func legalOrder(_ context.Context, o *observation) verdict {
	var seen []string
	highest := rankUnlisted
	for _, x := range o.all() {
		status := x.answer().Status
		if len(seen) == 0 || seen[len(seen)-1] != status {
			seen = append(seen, status)
		}
		switch r := rank(status); {
		case r == rankUnlisted:
		case r < highest:
			return fail(x, "the statuses were %s", strings.Join(seen, ", "))
		default:
			highest = r
		}
	}
	switch {
	case len(seen) < 2:
		return notApplicable("only one status was seen")
	case highest == rankUnlisted:
		return notApplicable("no status was seen that the documents list")
	}
	return pass(o.all()[0], o.polls[len(o.polls)-1])
}

func comesToAnEnd(_ context.Context, o *observation) verdict {
	if o.end() != nil {
		return pass(o.end())
	}
	if n := len(o.polls); n > 0 {
		return fail(o.polls[n-1], "after %d polls it is still %q", n, o.polls[n-1].answer().Status)
	}
	return fail(o.submit, "no poll was answered")
}

// ended leaves out the generations that a rule about the end can't judge.
func (o *observation) ended(status string) *verdict {
	end := o.end()
	switch {
	case end == nil:
		f := notApplicable("it hasn't come to an end")
		return &f
	case end.answer().Status != status:
		f := notApplicable("its end is " + end.answer().Status)
		return &f
	}
	return nil
}

func finalStays(_ context.Context, o *observation) verdict {
	if o.end() == nil {
		return notApplicable("it hasn't come to an end")
	}
	final := o.end().answer().Status
	for _, x := range o.after {
		if !x.accepted() {
			return fail(x, "a poll after the end was %s", x.outcome())
		}
		if status := x.answer().Status; status != final {
			return fail(x, "it was %s and is %q now", final, status)
		}
	}
	if len(o.after) < afterPolls {
		return fail(o.end(), "there was no time to poll it after its end")
	}
	return pass(o.end(), o.after[len(o.after)-1])
}

func completedHasURL(_ context.Context, o *observation) verdict {
	if f := o.ended("completed"); f != nil {
		return *f
	}
	for _, x := range append([]*trip{o.end()}, o.after...) {
		if a := x.answer(); a.Status == "completed" && a.URL == "" {
			return fail(x, "it is completed without the URL of a video")
		}
	}
	return pass(o.end())
}

func urlServesVideo(_ context.Context, o *observation) verdict {
	if f := o.ended("completed"); f != nil {
		return *f
	}
	switch x := o.film; {
	case x == nil:
		return fail(o.end(), "there is no URL")
	case x.err != nil:
		return fail(x, "the video: %s", x.outcome())
	case x.status != http.StatusOK:
		return fail(x, "the video is answered %d", x.status)
	case !strings.HasPrefix(o.media, "video/"):
		return fail(x, "what is behind the URL is %s", o.media)
	}
	return pass(o.end(), o.film)
}

func videoOnlyWhenCompleted(_ context.Context, o *observation) verdict {
	return only(o, "completed", "a video", func(a answer) any { return a.Video })
}

func errorOnlyWhenFailed(_ context.Context, o *observation) verdict {
	return only(o, "error", "an error", func(a answer) any { return a.Error })
}

// only holds that a member is there with one status only.
func only(o *observation, status, what string, member func(answer) any) verdict {
	if o.told() == nil {
		return notApplicable(nothingTold)
	}
	looked := 0
	for _, x := range o.all() {
		a := x.answer()
		if a.Status == status {
			continue
		}
		looked++
		if member(a) != nil {
			return fail(x, "there is %s with the status %q", what, a.Status)
		}
	}
	if looked == 0 {
		return notApplicable("no other status was seen than " + status)
	}
	return pass(o.all()[0])
}

func errorHasReason(_ context.Context, o *observation) verdict {
	if f := o.ended("error"); f != nil {
		return *f
	}
	for _, x := range append([]*trip{o.end()}, o.after...) {
		reason, _ := x.answer().Error.(map[string]any)
		name, _ := reason["name"].(string)
		message, _ := reason["message"].(string)
		if x.answer().Status == "error" && (name == "" || message == "") {
			return fail(x, "it has failed without a name and a message")
		}
	}
	return pass(o.end())
}

func failedCostsNothing(_ context.Context, o *observation) verdict {
	if f := o.ended("error"); f != nil {
		return *f
	}
	for _, x := range append([]*trip{o.end()}, o.after...) {
		usage := x.answer().Usage
		for what, charge := range map[string]any{
			"credits_used":           usage["credits_used"],
			"usd_spent":              usage["usd_spent"],
			"x-aimlapi-credits-used": headerNumber(x.header, "X-Aimlapi-Credits-Used"),
			"x-aimlapi-usd-spent":    headerNumber(x.header, "X-Aimlapi-Usd-Spent"),
		} {
			if f, ok := charge.(float64); ok && f != 0 {
				return fail(x, "it has failed, but %s is %v", what, charge)
			}
		}
	}
	return pass(o.end())
}
