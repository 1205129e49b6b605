package suite

import "testing"

func TestCount(t *testing.T) {
	for _, test := range []struct {
		c    count
		want string
	}{
		{nil, ""},
		{count{Passed: 3}, "3/3"},
		{count{Failed: 3}, "0/3"},
		{count{Passed: 3, Failed: 1}, "3/4"},
		{count{Passed: 3, Known: 1}, "3/4"},
		{count{LeftOut: 2}, "0/2"},
	} {
		if got := test.c.String(); got != test.want {
			t.Errorf("%v: %q, want %q", map[Outcome]int(test.c), got, test.want)
		}
	}
}
