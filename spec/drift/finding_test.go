package main

import (
	"strings"
	"testing"
)

func TestExcerpts(t *testing.T) {
	long := strings.Repeat("0123456789", 20)
	tests := []struct {
		name                     string
		ours, theirs             any
		wantedOurs, wantedTheirs string
	}{
		{"nothing", nil, "b", "nothing", `"b"`},
		{"nothing of theirs", long, nil, `"` + long[:158] + "…", "nothing"},
		{"short", 241.0, 161.0, "241", "161"},
		{"short, in the middle", "0123456789 0123456789 0123456789 0123456789 a", "0123456789 0123456789 0123456789 0123456789 b",
			`"0123456789 0123456789 0123456789 0123456789 a"`, `"0123456789 0123456789 0123456789 0123456789 b"`},
		{"from the start", "a" + long, "b" + long, `"a` + long[:157] + "…", `"b` + long[:157] + "…"},
		{"at the end", long + "a", long + "b", "…" + long[170:] + `a"`, "…" + long[170:] + `b"`},
		{"longer", long, long + "0123456789", "…" + long[170:] + `"`, "…" + long[170:] + `0123456789"`},
		{"only theirs is long", long[:50], long, "…" + long[20:50] + `"`, "…" + long[20:150+28] + "…"},
		{"in the middle of both", long + "a" + long, long + "b" + long, "…" + long[170:] + "a" + long[:127] + "…", "…" + long[170:] + "b" + long[:127] + "…"},
		{"other letters", strings.Repeat("ü", 200) + "a", strings.Repeat("ü", 200) + "b",
			"…" + strings.Repeat("ü", 30) + `a"`, "…" + strings.Repeat("ü", 30) + `b"`},
		{"the same", long, long, "…" + long[171:] + `"`, "…" + long[171:] + `"`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			ours, theirs := excerpts(test.ours, test.theirs)
			if ours != test.wantedOurs || theirs != test.wantedTheirs {
				t.Errorf("got\n%s\n%s\nwant\n%s\n%s", ours, theirs, test.wantedOurs, test.wantedTheirs)
			}
		})
	}
}
