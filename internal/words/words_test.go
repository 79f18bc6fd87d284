package words_test

import (
	"strings"
	"testing"

	"github.com/air-executor/air-executor/internal/words"
)

func TestNearest(t *testing.T) {
	known := []string{"poll_interval", "log_level", "log_format", "id", "base_path", "a"}
	tests := []struct{ word, want string }{
		{"pol_interval", "poll_interval"},
		{"pollinterval", "poll_interval"},
		{"LOG-LEVEL", "log_level"},
		{"loglevle", "log_level"},
		{"log_fromat", "log_format"},
		{"ids", "id"},
		{"base", ""},
		{"b", ""},
		{"", ""},
		{"log_level", "log_level"},
		{strings.Repeat("log_level", 1000), ""},
	}
	for _, tt := range tests {
		if got := words.Nearest(tt.word, known); got != tt.want {
			t.Errorf("Nearest(%.40q) = %q, want %q", tt.word, got, tt.want)
		}
	}
	if got := words.Nearest("x", nil); got != "" {
		t.Errorf("Nearest among none = %q", got)
	}
}

func TestMistyped(t *testing.T) {
	for word, known := range map[string]string{
		"comand": "command", "Command": "command", "commnads": "command", "arg": "args", "agrs": "args", "ID": "id",
		"workingDirectory": "working_directory", "priority ": "priority",
	} {
		if !words.Mistyped(word, known) {
			t.Errorf("%q is not taken for %q", word, known)
		}
	}
	for word, known := range map[string]string{"tags": "args", "x": "id", "environment": "env", "": "id"} {
		if words.Mistyped(word, known) {
			t.Errorf("%q is taken for %q", word, known)
		}
	}
}

func TestQuote(t *testing.T) {
	for give, want := range map[string]string{
		"a\"b": `"a\"b"`, strings.Repeat("é", 40): `"` + strings.Repeat("é", 30) + `"…`, "x" + strings.Repeat("é", 40): `"x` + strings.Repeat("é", 29) + `"…`,
	} {
		if got := words.Quote(give); got != want {
			t.Errorf("Quote(%q) = %s, want %s", give, got, want)
		}
	}
}

func TestList(t *testing.T) {
	for want, list := range map[string][]string{"": nil, "a": {"a"}, "a or b": {"a", "b"}, "a, b or c": {"a", "b", "c"}} {
		if got := words.List(list); got != want {
			t.Errorf("List(%q) = %q, want %q", list, got, want)
		}
	}
}
