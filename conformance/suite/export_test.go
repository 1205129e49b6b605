package suite

// Case and Cases let the tests outside of the package send the cases by other means.
type Case = testCase

var Cases = cases
