package wire

import "strings"

// SameGeneration reports whether two ids are of one generation: the API may give an id with the model behind it, as in
// "id:vendor/model", or without.
func SameGeneration(a, b string) bool {
	shortA, _, _ := strings.Cut(a, ":")
	shortB, _, _ := strings.Cut(b, ":")
	return a == b || shortA == shortB && shortA != "" && (shortA == a || shortB == b)
}
