package api

import (
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/air-executor/air-executor/runner"
)

// search searches the log of an attempt to its end.
func (s *served) search(at, query string) (hits []LogHit, last LogHits, calls int) {
	s.t.Helper()
	from := ""
	for {
		last = read[LogHits](s.get(at + "/search?" + query + from))
		hits, calls = append(hits, last.Hits...), calls+1
		if last.Next == last.Size || calls > 100 {
			return hits, last, calls
		}
		from = "&from=" + strconv.FormatInt(last.Next, 10)
	}
}

func TestALogIsSearched(t *testing.T) {
	s := serve(t, Options{})
	s.enqueue("j", command("a")...)
	long := strings.Repeat("x", 5000) + "needle" + strings.Repeat("y", 5000)
	text := "one\nTwo \x1b[31mneedle\x1b[0m <b>\r\n" + long + "\nbad \xff needle\n\nlast needle"
	a := s.claim("j")
	s.print("j", "a", text)
	at := s.keyOf("j", "a") + "/attempts/1/log"
	check := func(query string, want ...string) {
		t.Helper()
		hits, last, _ := s.search(at, query)
		var got []string
		for _, h := range hits {
			if !strings.HasPrefix(text[h.Offset:], strings.SplitN(h.Line, "\uFFFD", 2)[0]) && !h.Cut {
				t.Errorf("%s: no such line at %d: %q", query, h.Offset, h.Line)
			}
			if found := text[h.At : h.At+h.Length]; !strings.EqualFold(found, "needle") {
				t.Errorf("%s: found %q", query, found)
			}
			line := h.Line
			if h.Cut {
				line = "cut"
				if len(h.Line) > 1000 || !strings.Contains(h.Line, "needle") {
					t.Errorf("%s: %d bytes, %q", query, len(h.Line), h.Line)
				}
			}
			got = append(got, line)
		}
		if strings.Join(got, "|") != strings.Join(want, "|") {
			t.Errorf("%s\nwant %q\ngot  %q %+v", query, want, got, last)
		}
	}
	two, bad := "Two \x1b[31mneedle\x1b[0m <b>", "bad \uFFFD needle"
	// The last line may grow.
	if p := read[LogHits](s.get(at + "/search?q=needle")); p.Complete || p.Next != int64(len(text)-len("last needle")) || len(p.Hits) != 3 {
		t.Errorf("%+v", p)
	}
	s.finish(a, failed)
	checkAll := func() {
		t.Helper()
		check("q=needle", two, "cut", bad, "last needle")
		check("regex="+url.QueryEscape("n.?e+dle"), two, "cut", bad, "last needle")
		check("regex="+url.QueryEscape("(?i)NEEDLE$"), bad, "last needle")
		check("q=NEEDLE")
		check("q=" + url.QueryEscape("n.?e"))
		check("q=needle&from="+strconv.Itoa(len(text)-6), "needle")
		check("q=needle&from=99999999")
	}
	checkAll()
	if _, err := runner.CompressLog(s.base, "j", "a", 1, true, func(swap func() error) error { return swap() }); err != nil {
		t.Fatal(err)
	}
	checkAll()
	for _, bad := range []string{"", "?q=a&regex=b", "?regex=%28", "?q=", "?from=1", "?q=a&from=-1"} {
		s.full("GET", at+"/search"+bad).problem(badParameter)
	}
	s.full("GET", s.keyOf("j", "a")+"/attempts/2/log/search?q=a").problem(noSuchAttempt)
}

func TestASearchThatFindsMuchGoesOn(t *testing.T) {
	s := serve(t, Options{})
	s.enqueue("j", command("a", "b", "c")...)
	s.ran("j", strings.Repeat("hit\nmiss\n", 1200), failed)
	hits, last, calls := s.search(s.keyOf("j", "a")+"/attempts/1/log", "q=hit")
	if len(hits) != 1200 || calls != 3 || hits[1199].Offset != 1199*9 {
		t.Errorf("%d hits in %d calls: %+v", len(hits), calls, last)
	}
	// A line that is longer than what is held at once.
	s.ran("j", strings.Repeat("z", 16<<20-3)+"needle"+strings.Repeat("z", 1<<20)+"\nend", failed)
	for _, query := range []string{"q=needle", "q=end"} {
		if hits, last, _ := s.search(s.keyOf("j", "b")+"/attempts/1/log", query); len(hits) != 1 || !last.Complete {
			t.Errorf("%s: %d hits %+v", query, len(hits), last.Next)
		}
	}
	s.ran("j", "", failed)
	if hits, _, _ := s.search(s.keyOf("j", "c")+"/attempts/1/log", "regex=.*"); len(hits) != 0 {
		t.Errorf("of an empty log: %+v", hits)
	}
}
