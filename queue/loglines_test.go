package queue_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/air-executor/air-executor/queue"
)

// pieces notes what a sink was given.
type pieces struct{ strings.Builder }

func (p *pieces) Output(l *queue.Log, b []byte) error {
	p.WriteString("[" + l.Task + " " + string(b) + "]")
	return nil
}

func (p *pieces) Again(l *queue.Log, what string) { p.WriteString("[" + l.Task + " " + what + "]") }

func TestLinesAreGivenOnWhole(t *testing.T) {
	a, b := &queue.Log{Task: "a"}, &queue.Log{Task: "b"}
	for _, c := range []struct{ name, match, want string }{
		{"all", "", "[a one\n][b x\n][a two\n][a was cut][a three\n][b y][a four]"},
		{"some", "^(two|four|x)$", "[b x\n][a two\n][a was cut][a four]"},
	} {
		var out pieces
		s := &queue.LogLines{To: &out}
		if c.match != "" {
			s.Match = regexp.MustCompile(c.match)
		}
		for _, o := range []struct {
			l    *queue.Log
			text string
		}{{a, "one\ntw"}, {b, "x\n"}, {a, "o\nlost"}} {
			if err := s.Output(o.l, []byte(o.text)); err != nil {
				t.Fatal(err)
			}
		}
		s.Again(a, "was cut")
		if err := s.Output(a, []byte("three\nfo")); err != nil {
			t.Fatal(err)
		}
		if err := s.Output(b, []byte("y")); err != nil {
			t.Fatal(err)
		}
		if err := s.EndOf(b); err != nil {
			t.Fatal(err)
		}
		if err := s.Output(a, []byte("ur")); err != nil {
			t.Fatal(err)
		}
		if err := s.End(); err != nil || out.String() != c.want {
			t.Errorf("%s: %v\n%s\nwant\n%s", c.name, err, out.String(), c.want)
		}
	}
}
