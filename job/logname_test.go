package job_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"testing/quick"
	"unicode/utf8"

	"github.com/air-executor/air-executor/job"
)

func TestLogName(t *testing.T) {
	tests := []struct{ id, want string }{
		{"build", "build.log"},
		{"1", "1.log"},
		{"550e8400-e29b-41d4-a716-446655440000", "550e8400-e29b-41d4-a716-446655440000.log"},
		{"step two", "step two.log"},
		{" a ", "%20a%20.log"},
		{"v1.2-rc", "v1.2-rc.log"},
		{"a.1", "a%2E1.log"},
		{"v1.2.3", "v1.2%2E3.log"},
		{"a..1", "a.%2E1.log"},
		{"a.", "a..log"},
		{"a.x1", "a.x1.log"},
		{"1.", "1..log"},
		{".", "%2E.log"},
		{"..", "%2E..log"},
		{".hidden", "%2Ehidden.log"},
		{".5", "%2E5.log"},
		{"-rf", "%2Drf.log"},
		{"a-b_c+d=e@f,g", "a-b_c+d=e@f,g.log"},
		{"../../etc/passwd", "%2E.%2F..%2Fetc%2Fpasswd.log"},
		{`a\b:c*d?e"f<g>h|i`, "a%5Cb%3Ac%2Ad%3Fe%22f%3Cg%3Eh%7Ci.log"},
		{"100%", "100%25.log"},
		{"übung", "übung.log"},
		{"任务", "任务.log"},
		{"काम", "काम.log"},
		{"🚀", "%F0%9F%9A%80.log"},
		{"a\nb", "a%0Ab.log"},
		{"\xff", "%FF.log"},
		{"\ufffd", "%EF%BF%BD.log"},
		{"", "%.log"},
	}
	for _, tt := range tests {
		if got := job.LogName(tt.id); got != tt.want {
			t.Errorf("LogName(%q) = %q, want %q", tt.id, got, tt.want)
		}
	}
	if got, want := job.OldLogName("a.1", 12), "a%2E1.12.log"; got != want {
		t.Errorf("OldLogName = %q, want %q", got, want)
	}
}

func TestLogNameOfLongIDs(t *testing.T) {
	tests := []struct {
		name, id string
		sum      bool
	}{
		{"200 letters", strings.Repeat("a", 200), false},
		{"201 letters", strings.Repeat("a", 201), true},
		{"66 wide letters", strings.Repeat("任", 66), false},
		{"67 wide letters", strings.Repeat("任", 67), true},
		{"66 escapes", strings.Repeat("/", 66), false},
		{"67 escapes", strings.Repeat("/", 67), true},
		{"200 escapes", strings.Repeat("%", 200), true},
		{"an escaped last dot", strings.Repeat("a", 197) + ".1", true},
	}
	for _, tt := range tests {
		got := job.LogName(tt.id)
		if strings.Contains(got, "%%") != tt.sum {
			t.Errorf("%s: %q", tt.name, got)
		}
		checkFileName(t, job.OldLogName(tt.id, 1_000_000))
	}
	one, other := strings.Repeat("/", 100)+"a", strings.Repeat("/", 100)+"b"
	if job.LogName(one) == job.LogName(other) {
		t.Errorf("two long ids have the log %s", job.LogName(one))
	}
}

func TestFolderName(t *testing.T) {
	wide := strings.Repeat("任", 100)
	tests := []struct{ name, want string }{
		{"nightly", "nightly"},
		{"-x", "-x"},
		{"Übung_2", "Übung_2"},
		{strings.Repeat("任", 85), strings.Repeat("任", 85)}, // as long as the name of a folder may be
		{"x²Ⅷ", "x²Ⅷ"},
		{"..", "%2E."},
		{"a/b", "a%2Fb"},
		{"", "%"},
	}
	for _, tt := range tests {
		if got := job.FolderName(tt.name); got != tt.want {
			t.Errorf("FolderName(%q) = %q, want %q", tt.name, got, tt.want)
		}
	}
	got := job.FolderName(wide)
	checkFileName(t, got)
	if !strings.HasPrefix(got, strings.Repeat("任", 55)+"%%") || len(got) > 200 {
		t.Errorf("FolderName of 100 wide letters is %q", got)
	}
	if other := job.FolderName(wide[3:] + "务"); other == got {
		t.Errorf("two long names have the folder %s", got)
	}
}

// tricky makes ids of the parts that escaping must keep apart.
func tricky(seed []uint8) string {
	parts := []string{"a", "1", ".", "..", "%", "%%", "2E", "%2E", "/", " ", "-", ".log", ".1", ".1.log", "é", strings.Repeat("b", 60)}
	var b strings.Builder
	for _, s := range seed {
		b.WriteString(parts[int(s)%len(parts)])
	}
	return b.String()
}

// TestLogNamesDiffer holds that no two tasks or attempts share a log.
func TestLogNamesDiffer(t *testing.T) {
	owner := map[string]string{}
	check := func(name, who string) bool {
		if other, ok := owner[name]; ok && other != who {
			t.Errorf("%s is the log of %s and of %s", name, other, who)
			return false
		}
		owner[name] = who
		return true
	}
	err := quick.Check(func(seed []uint8, attempt uint16) bool {
		id := tricky(seed[:min(len(seed), 8)])
		n := int(attempt)%12 + 1
		return check(job.LogName(id), fmt.Sprintf("%q", id)) &&
			check(job.OldLogName(id, n), fmt.Sprintf("%q attempt %d", id, n))
	}, &quick.Config{MaxCount: 50_000})
	if err != nil {
		t.Error(err)
	}
}

func FuzzLogName(f *testing.F) {
	f.Add("a.1", "a", 1)
	f.Add("a", "a%", 1)
	f.Add("../x", "", 7)
	f.Add(strings.Repeat("é", 101), "a.1.log", 1)
	f.Fuzz(func(t *testing.T, x, y string, attempt int) {
		attempt = attempt&0xfffff + 1
		names := map[string]string{}
		for _, id := range []string{x, y} {
			for _, name := range []string{job.LogName(id), job.OldLogName(id, attempt), job.OldLogName(id, attempt+1)} {
				checkFileName(t, name)
				if other, ok := names[name]; ok && other != id {
					t.Fatalf("%q and %q share %q", other, id, name)
				}
				names[name] = id
			}
			if len(names)%3 != 0 {
				t.Fatalf("attempts of %q share a name: %v", id, names)
			}
		}
		if (x == y) != (job.FolderName(x) == job.FolderName(y)) {
			t.Fatalf("folders of %q and %q", x, y)
		}
		checkFileName(t, job.FolderName(x))
	})
}

// checkFileName checks that a name is a plain file in whatever folder.
func checkFileName(t *testing.T, name string) {
	t.Helper()
	switch {
	case name == "" || name[0] == '.' || name[0] == ' ':
		t.Fatalf("%q is hidden or worse", name)
	case len(name) > 255 || !utf8.ValidString(name):
		t.Fatalf("%q has %d bytes, or is not UTF-8", name, len(name))
	case filepath.Base(name) != name || strings.ContainsAny(name, "/\\\x00\n"):
		t.Fatalf("%q leaves its folder", name)
	}
}
