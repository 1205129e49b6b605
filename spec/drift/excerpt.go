package main

const (
	maxShown = 160 // characters of a foreign text that a line shows
	lead     = 30  // of which so many stand before what differs
)

// excerpts shows two values. Of long ones that begin alike it leaves out the same from both, so that the line shows
// where they part.
func excerpts(ours, theirs any) (string, string) {
	if ours == nil || theirs == nil {
		return show(ours), show(theirs)
	}
	a, b := []rune(encode(ours)), []rune(encode(theirs))
	same := 0
	for same < min(len(a), len(b)) && a[same] == b[same] {
		same++
	}
	if max(len(a), len(b)) < maxShown || same <= lead {
		return show(ours), show(theirs)
	}
	skipped := same - lead
	return clean("…" + string(a[skipped:])), clean("…" + string(b[skipped:]))
}

func show(value any) string {
	if value == nil {
		return "nothing"
	}
	return clean(encode(value))
}
