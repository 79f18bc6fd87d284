//go:build linux

package main

import (
	"strings"
	"testing"
)

// A process that is killed while it enters a write leaves half a line with an
// address; one that was carried out must have its text.
func TestTextOfAWriteThatCannotBeRead(t *testing.T) {
	cases := []struct {
		name   string
		lines  []string
		events int
		err    string
	}{
		{"readable", []string{`7 write(1</a>, "\x41", 1) = 1`}, 1, ""},
		{"in two lines", []string{`7 write(1</a>, "\x41", 1 <unfinished ...>`, `7 <... write resumed>) = 1`}, 1, ""},
		{"killed", []string{`7 write(1</dev/null>, 0x55b9356f2d60, 60 <unfinished ...>`, `7 +++ killed by SIGKILL +++`}, 0, ""},
		{"killed, with an end", []string{`7 write(1</dev/null>, 0x55b9356f2d60, 60 <unfinished ...>`, `7 <... write resumed>) = ?`}, 0, ""},
		{"failed", []string{`7 pwrite64(1</a>, 0x55b9356f2d60, 60, 0) = -1 EFAULT (Bad address)`}, 0, ""},
		{"carried out", []string{`7 write(1</a>, 0x55b9356f2d60, 60) = 60`}, 0, "cut off"},
		{"carried out, in two lines", []string{`7 pwrite64(1</a>, 0x55b9356f2d60, 60, 0 <unfinished ...>`, `7 <... pwrite64 resumed>) = 60`}, 0, "cut off"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			p := parser{unfinished: map[int]string{}, thread: map[int]int{}, child: map[int]int{}}
			var err error
			for _, l := range c.lines {
				if err == nil {
					err = p.line(l)
				}
			}
			if c.err == "" && err != nil || c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err)) {
				t.Fatalf("error %v, want %q", err, c.err)
			}
			if len(p.events) != c.events {
				t.Fatalf("%d events, want %d: %v", len(p.events), c.events, p.events)
			}
		})
	}
}
