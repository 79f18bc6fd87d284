package strictyaml_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/air-executor/air-executor/internal/strictyaml"
	"github.com/air-executor/air-executor/internal/testkit"
)

func TestParseRefuses(t *testing.T) {
	tests := []struct{ name, give, want string }{
		{"list at the root", "- a\n", `f:1: must be a mapping (key: value), not a list`},
		{"text at the root", "poll_interval 5\n", `f:1: must be a mapping (key: value), not the text "poll_interval 5"`},
		{"null at the root", "null\n", `f:1: must be a mapping (key: value), not null`},
		{"two documents", "a: 1\n---\nb: 2\n", `f:2: another YAML document begins here; only one is allowed`},
		{"second document empty", "a: 1\n---\n", `f:2: another YAML document begins here; only one is allowed`},
		{"rubbish after JSON", "{\"a\": 1}\n}\n", `f:2: not valid YAML: did not find expected <document start>`},
		{"duplicate key", "a: 1\nb: 2\na: 3\n", `f:3: a: is already set on line 1`},
		{"duplicate key below", "a:\n  - b: 1\n    b: 2\n", `f:3: a[0].b: is already set on line 2`},
		{"duplicate key in quotes", "a: 1\n\"a\": 2\n", `f:2: a: is already set on line 1`},
		{"anchor", "a: &x 1\n", `f:1: a: anchors (&x) are not allowed; write the value out where it is used`},
		{"anchor on a key", "&x a: 1\n", `f:1: anchors (&x) are not allowed; write the value out where it is used`},
		{"alias", "a: {b: &x [1]}\nc: *x\n", `f:1: a.b: anchors (&x) are not allowed; write the value out where it is used`},
		{"bomb", "a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\n", `f:1: a: anchors (&a) are not allowed; write the value out where it is used`},
		{"alias to itself", "a: &x [*x]\n", `f:1: a: anchors (&x) are not allowed; write the value out where it is used`},
		{"unknown alias", "a: 1\nb: [*x]\n", `f:2: not valid YAML: unknown anchor 'x' referenced`},
		{"merge key", "a:\n  <<: {b: 1}\n", `f:2: a: merge keys (<<) are not allowed; write the values out`},
		{"tag", "a: !!str 5\n", `f:1: a: tags (!!str) are not allowed`},
		{"own tag", "a: !thing 5\n", `f:1: a: tags (!thing) are not allowed`},
		{"bare tag", "a: ! 5\n", `f:1: a: tags (!) are not allowed`},
		{"directive", "%YAML 1.2\n---\na: 1\n", `f:1: directives (%) are not allowed`},
		{"directive after a comment", "# x\r\n\n%TAG !a! b\n---\n", `f:3: directives (%) are not allowed`},
		{"directive after a carriage return", "# x\r%TAG !a! b\r---\r", `f:2: directives (%) are not allowed`},
		{"directive after a line separator", "# x\u2028%TAG !a! b\n", `f:2: directives (%) are not allowed`},
		{"directive after a second byte order mark", "\ufeff\ufeff%TAG !a! b\n", `f:1: directives (%) are not allowed`},
		{"directive after a document", "a: 1\n...\n# x\n%TAG !a! b\n---\n", `f:4: directives (%) are not allowed`},
		{"number as key", "a: {1: x}\n", `f:1: a: a key must be text, not the number 1`},
		{"list as key", "? [a]\n: x\n", `f:1: a key must be text, not a list`},
		{"null as key", "~: x\n", `f:1: a key must be text, not ~`},
		{"unclosed list", "a: [1, 2\nb: 3\n", `f:2: not valid YAML: did not find expected ',' or ']' (while parsing a flow sequence that begins on line 1)`},
		{"unclosed quote", "a: 1\nb: 'x\n\n\n", `f:2: not valid YAML: found unexpected end of stream`},
		{"no colon", "a: 1\nfoo\nb: 2\n", `f:2: not valid YAML: could not find expected ':'`},
		{"tab", "a:\n\tb: 1\n", `f:2: not valid YAML: found character that cannot start any token; indent with spaces, not with tabs`},
		{"CRLF keeps lines", "a: 1\r\nb: @\r\n", `f:2: not valid YAML: found character that cannot start any token`},
		{"NUL", "a: 1\nb: \x00\n", `f:2: contains a NUL byte; is this a text file in UTF-8?`},
		{"control character", "a: 1\nb: \x1b\n", `f:2: contains the control character U+001B`},
		{"Latin-1", "a: 1\nb: caf\xe9\n", `f:2: is not valid UTF-8`},
		{"UTF-16 little endian", "\xff\xfea\x00:\x00", `f: is UTF-16 text; save it as UTF-8`},
		{"UTF-16 big endian", "\xfe\xff\x00a\x00:", `f: is UTF-16 text; save it as UTF-8`},
		{"too deep", "a: " + strings.Repeat("[", 100), `f:1: not valid YAML: exceeded max depth of 64`},
		{"too large", strings.Repeat("#", strictyaml.MaxSize+1), `f: is larger than 16 MiB`},
		{"half a surrogate pair", `{"a": "\ud83d"}`, `f:1: not valid YAML: found invalid Unicode character escape code`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := strictyaml.Parse("f", []byte(tt.give))
			checkError(t, err, tt.want)
		})
	}
}

func TestParseEmpty(t *testing.T) {
	for _, give := range []string{"", "\n", "# only a comment\n", "---\n", "\ufeff", "---\n# comment\n...\n"} {
		m, err := strictyaml.Parse("f", []byte(give))
		if m != nil || err != nil {
			t.Errorf("Parse(%q) = %v, %v; want nil, nil", give, m, err)
		}
	}
}

func TestParseTexts(t *testing.T) {
	tests := []struct{ name, give, want string }{
		{"byte order mark", "\ufeffa: x", "x"},
		{"CRLF", "a: |\r\n  x\r\n  y\r\n", "x\ny\n"},
		{"percent sign in a text", "b: 1\na: |\n  %TAG\n  ...\n  %x\n", "%TAG\n...\n%x\n"},
		{"percent sign at the begin of a line", "a: 'x\n%y'\n", "x %y"},
		{"date", "a: 2025-10-02", "2025-10-02"},
		{"yes is text", "a: yes", "yes"},
		{"quoted merge sign as key", "'<<': y\na: x", "x"},
		{"JSON without spaces", `{"b":[1,{"c":null}],"a":"x"}`, "x"},
		{"JSON with tabs", "{\n\t\"b\": [\n\t\t1\n\t],\n\t\"a\": \"x\"\n}", "x"},
		{"JSON escapes", `{"a": "\\u0041\"\/\b\f\n\r\t\u00e9"}`, "\\u0041\"/\b\f\n\r\té"},
		{"JSON surrogate pair", `{"a": "\ud83d\ude00 \\ud83d"}`, "😀 \\ud83d"},
		{"JSON line separators", "{\"a\": \"x\u2028y\u2029z\u0085w\ufeff\"}", "x\u2028y\u2029z\u0085w\ufeff"},
		{"JSON DEL", "{\"a\": \"\x7f\"}", "\x7f"},
		{"JSON long key", `{"` + strings.Repeat("k", 900) + `": 1, "a": "x"}`, "x"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m, err := strictyaml.Parse("f", []byte(tt.give))
			if err != nil {
				t.Fatal(err)
			}
			v, _ := m.Get("a")
			got, err := v.Text()
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("text (-want +got):\n%s", diff)
			}
		})
	}
}

func TestReadFileErrors(t *testing.T) {
	dir := t.TempDir()
	missing := filepath.Join(dir, "missing.yaml")
	below := filepath.Join(dir, "file", "x.yaml")
	if err := os.WriteFile(filepath.Join(dir, "file"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := strictyaml.ReadFile(missing)
	checkError(t, err, missing+": no such file")
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error %v does not wrap fs.ErrNotExist", err)
	}
	_, err = strictyaml.ReadFile(dir)
	checkError(t, err, dir+": is a folder, not a file")
	_, err = strictyaml.ReadFile(below)
	checkError(t, err, below+": cannot be read: not a directory")
}

func TestReadFileWithoutPermission(t *testing.T) {
	path := filepath.Join(t.TempDir(), "secret.yaml")
	if err := os.WriteFile(path, []byte("a: 1"), 0); err != nil {
		t.Fatal(err)
	}
	if os.Geteuid() == 0 {
		t.Skip("root may read every file")
	}
	_, err := strictyaml.ReadFile(path)
	checkError(t, err, path+": no permission to read this file")
}

// checkError compares an error, which must be an *Error, with its whole text.
func checkError(t *testing.T, err error, want string) {
	t.Helper()
	testkit.WantError[*strictyaml.Error](t, err, want)
}

// TestManyDirectivesTakeNoTime fails by the time limit of the test run if
// directives reach the YAML library: it needs minutes for these.
func TestManyDirectivesTakeNoTime(t *testing.T) {
	directives := strings.Repeat("%TAG !a! b\n", strictyaml.MaxSize/12)
	for give, want := range map[string]string{
		directives:                 "f:1: directives (%) are not allowed",
		"a: 1\n...\n" + directives: "f:3: directives (%) are not allowed",
	} {
		_, err := strictyaml.Parse("f", []byte(give))
		checkError(t, err, want)
	}
}
