package traceparent

import (
	"strings"
	"testing"
)

const (
	token  = "0123456789abcdef0123456789abcdef"
	above  = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
	parent = "00f067aa0ba902b7"
	trace  = "4bf92f3577b34da6a3ce929d0e0e4736"
)

func TestAnAttemptBeginsATrace(t *testing.T) {
	a, b := Of(token, nil), Of(strings.Repeat("1", 32), nil)
	if a.Parent != "" || !a.Sampled() || len(a.Trace) != 32 || len(a.ID) != 16 || a.Trace == b.Trace || a.ID == b.ID {
		t.Errorf("%+v, %+v", a, b)
	}
	if again := Of(token, []string{}); a != again {
		t.Errorf("%+v, then %+v", a, again)
	}
	said := strings.Join(a.Settings(), " ")
	if said != "TRACEPARENT=00-"+a.Trace+"-"+a.ID+"-01" {
		t.Error(said)
	}
	for i := 0; i+8 <= len(token); i++ {
		if strings.Contains(said, token[i:i+8]) {
			t.Errorf("%s tells of the token", said)
		}
	}
	// What the command queues is below it.
	below := Of(strings.Repeat("2", 32), a.Settings())
	if below.Trace != a.Trace || below.Parent != a.ID || below.ID == a.ID {
		t.Errorf("%+v below %+v", below, a)
	}
}

func TestTheParentOfASpan(t *testing.T) {
	for text, want := range map[string]string{ // the parent and the flags
		above:                      parent + " 01",
		above[:53] + "00":          parent + " 00",
		above[:53] + "ff":          parent + " 03",
		"cc" + above[2:] + "-what": parent + " 01",
		above + "-what":            " 01",
		above + "x":                " 01",
		"cc" + above[2:] + "what":  " 01",
		"ff" + above[2:]:           " 01",
		above[:54]:                 " 01",
		strings.ToUpper(above):     " 01",
		"00-" + strings.Repeat("0", 32) + above[35:]: " 01",
		above[:36] + strings.Repeat("0", 16) + "-01": " 01",
		strings.ReplaceAll(above, "-", "_"):          " 01",
		above[:53] + "0x":                            " 01",
		"":                                           " 01",
	} {
		s := Of(token, []string{"TRACEPARENT=" + strings.Replace(above, "4b", "5c", 1), "A=1", "TRACEPARENT=" + text, "TRACESTATE=v=1"})
		said := s.Settings()
		if got := s.Parent + " " + said[0][len(said[0])-2:]; got != want {
			t.Errorf("below %q: %s, want %s", text, got, want)
		}
		if inTrace := s.Trace == trace; inTrace != (s.Parent != "") || inTrace != (s.State == "v=1") || inTrace != (len(said) == 2) {
			t.Errorf("below %q: %+v, %q", text, s, said)
		}
	}
}
