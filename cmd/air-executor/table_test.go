package main

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func sample() *grid {
	g := &grid{
		head: []string{"Task", "Status", "Started", "Took", "Command", "Note"}, wrap: 6,
		squeeze: []step{{5, 24}, {1, 24}, {6, 56}, {5, 14}, {6, 40}, {1, 14}, {3, 0}, {6, 28}, {5, 10}, {1, 10}, {5, 0}, {4, 0}, {6, 16}, {1, 6}, {6, 8}},
	}
	g.add("short", "completed", "04:05:06", "1.2s", "make", "")
	g.add("a-task-with-an-id-of-fifty-characters-or-even-more-", "failed", "04:05:06", "12m10s", "sh -c 'some long script'", "killed by SIGKILL, not by air-executor (out of memory?)")
	return g
}

func TestATableFitsAndKeepsItsNotes(t *testing.T) {
	const reason = "killed by SIGKILL, not by air-executor (out of memory?)"
	for width := 40; width < 200; width++ {
		lines := sample().lines(width)
		note := strings.Index(lines[0], "Note")
		if note < 0 {
			t.Fatalf("at %d columns there is no note:\n%s", width, strings.Join(lines, "\n"))
		}
		var said []string
		for _, l := range lines {
			if w := textWidth(l); w > width {
				t.Errorf("at %d columns a line has %d:\n%s", width, w, l)
			}
		}
		for _, l := range lines[2:] {
			if r := []rune(l); len(r) > note {
				said = append(said, strings.TrimSpace(string(r[note:])))
			}
		}
		if got := strings.Join(said, " "); got != reason {
			t.Errorf("at %d columns the note is %q:\n%s", width, got, strings.Join(lines, "\n"))
		}
	}
}

func TestATableIsAsWideAsItNeedsToBe(t *testing.T) {
	g := &grid{head: []string{"Name", "Two Words", "Last"}, squeeze: []step{{1, 4}}}
	g.add("é日", "x", "")
	g.add("a\tb\x1b", "y", "z")
	want := []string{"Name      Two Words  Last", "é日       x", `a\tb\x1b  y          z`}
	if diff := cmp.Diff(want, g.lines(0)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	want = []string{"Name      Two    Last", "          Words", "é日       x", `a\tb\x1b  y      z`}
	if diff := cmp.Diff(want, g.lines(21)); diff != "" {
		t.Errorf("narrow (-want +got):\n%s", diff)
	}
}

// Jobs of commands looked alike where their names were cut at the end.
func TestNamesAreCutInTheirMiddle(t *testing.T) {
	g := &grid{head: []string{"Name", "State"}, squeeze: []step{{1, 12}}, names: 1}
	g.add("run-20260102-030405-77", "x")
	g.add("run-20260102-030405-78", "y")
	lines := g.lines(20)
	if lines[1] == lines[2] || !strings.HasPrefix(lines[1], "run-2") || !strings.Contains(lines[1], "05-77") {
		t.Errorf("%q", lines)
	}
	for _, name := range []string{"run-20260102-030405-77", "日本語日本語日本語日本語", "é\u0301é\u0301é\u0301é\u0301é\u0301"} {
		for width := 1; width < 30; width++ {
			if got := shortenMiddle(name, width); textWidth(got) > width {
				t.Errorf("%q in %d columns is %q", name, width, got)
			}
		}
	}
}

func TestWordsAreWrapped(t *testing.T) {
	for _, c := range []struct {
		text  string
		width int
		want  []string
	}{
		{"", 5, []string{""}},
		{"one two three", 8, []string{"one two", "three"}},
		{"abcdefghij kl", 4, []string{"abcd", "efgh", "ij", "kl"}},
		{"x abcdefghij", 6, []string{"x", "abcdef", "ghij"}},
		{"an upload-to-the-mirror", 12, []string{"an", "upload-to-", "the-mirror"}},
		{"日本語", 3, []string{"日", "本", "語"}},
		{"日本", 1, []string{"日本"}}, // there is no room for even one
	} {
		if got := wrap(c.text, c.width); !slices.Equal(got, c.want) {
			t.Errorf("%q at %d: %q, want %q", c.text, c.width, got, c.want)
		}
	}
}

func TestRemarksAreFoldedAtBlanks(t *testing.T) {
	for _, c := range []struct {
		text  string
		width int
		want  []string
	}{
		{"air-executor: one two three", 0, []string{"air-executor: one two three"}},
		{"air-executor: one two three", 20, []string{"air-executor: one", "    two three"}},
		{"air-executor: abcdefghijklmnopqrstuvwxyz x", 20, []string{"air-executor:", "    abcdefghijklmnopqrstuvwxyz", "    x"}},
		// A command can be copied.
		{"to see: air-executor logs j; or not", 30, []string{"to see: air-executor logs j;", "    or not"}},
		{"to see why: air-executor logs j", 24, []string{"to see why:", "    air-executor logs j"}},
		{"to see why: air-executor logs a-long-name", 24, []string{"to see why: air-executor", "    logs a-long-name"}},
	} {
		if got := fold(c.text, c.width, 4); !slices.Equal(got, c.want) {
			t.Errorf("%q at %d: %q, want %q", c.text, c.width, got, c.want)
		}
	}
}

func TestKeysAreFound(t *testing.T) {
	for sent, want := range map[string][]key{
		"":                           nil,
		"\x1b[A\x1b[B\x1bOA\x1bOB":   {keyUp, keyDown, keyUp, keyDown},
		"\x1b[5~\x1b[6~ b":           {keyPageUp, keyPageDown, keyPageDown, keyPageUp},
		"\x1b[H\x1b[F\x1b[1~\x1b[4~": {keyHome, keyEnd, keyHome, keyEnd},
		"xq":                         {keyQuit},
		"\x1b[1;5A\x1b[200~q":        {keyQuit}, // not A, and not ~
		"\x1b":                       nil,
		"\x1b[":                      nil,
	} {
		if got := parseKeys([]byte(sent)); !slices.Equal(got, want) {
			t.Errorf("%q: %v, want %v", sent, got, want)
		}
	}
}

func TestALocaleMayHaveASCIIOnly(t *testing.T) {
	for _, c := range []struct {
		all, ctype, lang, term string
		ascii                  bool
	}{
		{"", "", "", "xterm", false},
		{"", "", "", "", false},
		{"", "", "", "dumb", true},
		{"", "", "C.UTF-8", "dumb", false},
		{"", "", "C", "xterm", true},
		{"", "", "POSIX", "", true},
		{"", "", "en_US.UTF-8", "xterm", false},
		{"", "", "de_DE.utf8@euro", "xterm", false},
		{"", "", "de_DE.ISO-8859-1", "xterm", true},
		{"", "", "en_US", "xterm", false},
		{"C", "en_US.UTF-8", "en_US.UTF-8", "xterm", true},
		{"", "en_US.UTF-8", "C", "xterm", false},
	} {
		t.Setenv("LC_ALL", c.all)
		t.Setenv("LC_CTYPE", c.ctype)
		t.Setenv("LANG", c.lang)
		t.Setenv("TERM", c.term)
		if got := plainASCII(); got != c.ascii {
			t.Errorf("%+v: %t", c, got)
		}
	}
}

func TestAnUnknownTimeZoneIsTold(t *testing.T) {
	for _, c := range []struct {
		zone, inForce string
		unknown       bool
	}{
		{"", "Local", false}, {"", "UTC", false}, {"UTC", "UTC", false}, {":UTC", "UTC", false},
		{"Europe/Berlin", "Local", false}, {"Mars/Base", "UTC", true}, {"EST5EDT,M3.2.0", "UTC", true}, {":Nowhere", "UTC", true},
	} {
		if got := unknownZone(c.zone, c.inForce); got != c.unknown {
			t.Errorf("%+v: %t", c, got)
		}
	}
}
