package house_test

import (
	"io/fs"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode"
)

// maxReadme is how long the README may be, in lines. What does not fit is for
// a page in docs.
const maxReadme = 250

func TestTheReadmeIsShort(t *testing.T) {
	if n := len(strings.Split(strings.TrimSpace(page(t, "README.md")), "\n")); n > maxReadme {
		t.Errorf("README.md has %d lines, more than %d", n, maxReadme)
	}
}

// TestThePagesHaveOneCommandToTest keeps what CI and newcomers rely on in the README.
func TestTheReadmeSaysHowToTest(t *testing.T) {
	text := page(t, "README.md")
	for _, want := range []string{"\ngo test ./...\n", "`.ci/run`", "go run ./cmd/air-executor run examples/pipeline.yaml"} {
		if !strings.Contains(text, want) {
			t.Errorf("README.md lacks %q", want)
		}
	}
}

var (
	fence   = regexp.MustCompile("(?ms)^ *```.*?^ *```$")
	literal = regexp.MustCompile("`[^`\n]*`")
	link    = regexp.MustCompile(`\[[^\]\n]*\]\(([^)\s]+)\)`)
	heading = regexp.MustCompile(`(?m)^#+ +(.*)$`)
	linked  = regexp.MustCompile(`\[([^\]]*)\]\([^)]*\)`)
)

// Every link from one page to another, or to a file, leads somewhere.
func TestLinksBetweenPagesResolve(t *testing.T) {
	for _, from := range pages(t) {
		text := literal.ReplaceAllString(fence.ReplaceAllString(page(t, from), ""), "")
		for _, m := range link.FindAllStringSubmatch(text, -1) {
			u, err := url.Parse(m[1])
			if err != nil {
				t.Errorf("%s: link %s: %v", from, m[1], err)
			}
			if err != nil || u.Scheme != "" {
				continue
			}
			to := from
			if u.Path != "" {
				to = path.Join(path.Dir(from), u.Path)
			}
			if _, err := os.Stat(filepath.Join("../..", to)); err != nil {
				t.Errorf("%s: link %s leads nowhere", from, m[1])
			} else if u.Fragment != "" && !anchors(page(t, to))[u.Fragment] {
				t.Errorf("%s: link %s: %s has no such heading", from, m[1], to)
			}
		}
	}
}

// A page in docs that no other page links to is found by nobody.
func TestEveryPageIsLinked(t *testing.T) {
	var all strings.Builder
	for _, from := range pages(t) {
		all.WriteString(page(t, from))
	}
	for _, to := range pages(t) {
		if path.Dir(to) == "docs" && !strings.Contains(all.String(), path.Base(to)) {
			t.Errorf("no page links to %s", to)
		}
	}
}

// pages are the Markdown files of the repository.
func pages(t *testing.T) (names []string) {
	t.Helper()
	err := fs.WalkDir(os.DirFS("../.."), ".", func(name string, e fs.DirEntry, err error) error {
		if err == nil && e.IsDir() && (e.Name() == "testdata" || e.Name() == ".git" || e.Name() == ".air-executor") {
			return fs.SkipDir
		}
		if err == nil && path.Ext(name) == ".md" {
			names = append(names, name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func page(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("../..", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// anchors are the fragments that a page has for its headings, as forges make them.
func anchors(text string) map[string]bool {
	out := map[string]bool{}
	for _, m := range heading.FindAllStringSubmatch(fence.ReplaceAllString(text, ""), -1) {
		title := linked.ReplaceAllString(m[1], "$1")
		var b strings.Builder
		for _, r := range strings.ToLower(title) {
			switch {
			case unicode.IsLetter(r) || unicode.IsDigit(r) || r == '-' || r == '_':
				b.WriteRune(r)
			case r == ' ':
				b.WriteByte('-')
			}
		}
		out[b.String()] = true
	}
	return out
}
