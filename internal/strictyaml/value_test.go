package strictyaml_test

import (
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/air-executor/air-executor/internal/strictyaml"
)

// get returns the value of key a in a document.
func get(t *testing.T, document string) strictyaml.Value {
	t.Helper()
	m, err := strictyaml.Parse("f", []byte(document))
	if err != nil {
		t.Fatal(err)
	}
	v, ok := m.Get("a")
	if !ok {
		t.Fatalf("no key a in %q", document)
	}
	return v
}

func TestInt(t *testing.T) {
	tests := []struct {
		give string
		want int
	}{
		{"5", 5}, {"+5", 5}, {"-3", -3}, {"0", 0}, {"-0", 0}, {"1_000", 1000}, {"0x10", 16}, {"0o17", 15}, {"0b11", 3},
		{`"5"`, 5}, {"'-5'", -5}, {"5.0", 5}, {"-5.00", -5},
		{"9223372036854775807", math.MaxInt}, {"-9223372036854775808", math.MinInt},
	}
	for _, tt := range tests {
		got, err := get(t, "a: "+tt.give).Int(math.MinInt, math.MaxInt)
		if got != tt.want || err != nil {
			t.Errorf("Int of %s = %d, %v; want %d", tt.give, got, err, tt.want)
		}
	}
}

func TestIntRefuses(t *testing.T) {
	tests := []struct{ give, want string }{
		{`a: 99`, `f:1: a: must be between 1 and 60, not 99`},
		{`a: 0`, `f:1: a: must be between 1 and 60, not 0`},
		{`a: -5`, `f:1: a: must be between 1 and 60, not -5`},
		{`a: 99999999999999999999`, `f:1: a: must be between 1 and 60, not 99999999999999999999`},
		{`a: 18446744073709551617`, `f:1: a: must be between 1 and 60, not 18446744073709551617`},
		{`a: "05"`, `f:1: a: must be a whole number without leading zeros, not 05`},
		{`a: "0x5"`, `f:1: a: must be a whole number, not the text "0x5"`},
		{`a: "99"`, `f:1: a: must be between 1 and 60, not 99`},
		{`a: 5.5`, `f:1: a: must be a whole number, not the number 5.5`},
		{`a: 5.`, `f:1: a: must be a whole number, not the number 5.`},
		{`a: 1e1`, `f:1: a: must be a whole number, not the number 1e1`},
		{`a: .inf`, `f:1: a: must be a whole number, not the number .inf`},
		{`a: 010`, `f:1: a: must be a whole number without leading zeros, not 010`},
		{`a: 08`, `f:1: a: must be a whole number without leading zeros, not 08`},
		{`a: true`, `f:1: a: must be a whole number, not true`},
		{`a: 5s`, `f:1: a: must be a whole number, not the text "5s"`},
		{`a: [5]`, `f:1: a: must be a whole number, not a list`},
		{`a: {b: 5}`, `f:1: a: must be a whole number, not a mapping`},
		{`a: null`, `f:1: a: must be a whole number, not null`},
		{"\na:\n\nb: 1", `f:2: a: must be a whole number, not empty`},
	}
	for _, tt := range tests {
		_, err := get(t, tt.give).Int(1, 60)
		checkError(t, err, tt.want)
	}
}

func TestTextRefuses(t *testing.T) {
	tests := []struct{ give, want string }{
		{`a: 5`, `f:1: a: must be text, not the number 5`},
		{`a: false`, `f:1: a: must be text, not false`},
		{`a:`, `f:1: a: must be text, not empty`},
		{`a: [x]`, `f:1: a: must be text, not a list`},
	}
	for _, tt := range tests {
		_, err := get(t, tt.give).Text()
		checkError(t, err, tt.want)
	}
}

func TestLiterals(t *testing.T) {
	got, err := get(t, `a: [x, "y", 1, 2.50, 0x1F, true, 2025-10-02, 1e400, "", 01]`).Literals()
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"x", "y", "1", "2.50", "0x1F", "true", "2025-10-02", "1e400", "", "01"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("literals (-want +got):\n%s", diff)
	}
}

func TestLiteralsRefuses(t *testing.T) {
	tests := []struct{ give, want string }{
		{"a:\n  - x\n  - ~", `f:3: a[1]: must be text, not ~`},
		{"a: [[x]]", `f:1: a[0]: must be text, not a list`},
		{"a: x", `f:1: a: must be a list, not the text "x"`},
		{"a: " + strings.Repeat("é", 90), `f:1: a: must be a list, not the text "` + strings.Repeat("é", 30) + `"…`},
	}
	for _, tt := range tests {
		_, err := get(t, tt.give).Literals()
		checkError(t, err, tt.want)
	}
}

func TestPathRefuses(t *testing.T) {
	tests := []struct{ give, want string }{
		{`a: ""`, `f:1: a: must not be empty`},
		{`a: "x\0y"`, `f:1: a: must not contain a NUL byte`},
		{`a: ~/data`, `f:1: a: ~ does not stand for the home folder here; write "~/data" in full`},
		{`a: 5`, `f:1: a: must be text, not the number 5`},
	}
	for _, tt := range tests {
		_, err := get(t, tt.give).FilePath()
		checkError(t, err, tt.want)
	}
}

func TestGiven(t *testing.T) {
	v := strictyaml.Given("--limit", "5")
	if got, err := v.Text(); got != "5" || err != nil {
		t.Errorf("Text = %q, %v; want 5", got, err)
	}
	checkError(t, v.Errorf("is odd"), "--limit: is odd")
}

func TestMapKeys(t *testing.T) {
	known := []string{"name", "poll_interval", "tasks"}
	tests := []struct{ give, want string }{
		{"name: x\nPoll-Interval: 5", `f:2: Poll-Interval: unknown key; did you mean poll_interval?`},
		{"taks: x", `f:1: taks: unknown key; did you mean tasks?`},
		{"colour: x", `f:1: colour: unknown key; the known keys are name, poll_interval, tasks`},
		{`"a b": x`, `f:1: "a b": unknown key; the known keys are name, poll_interval, tasks`},
		{`"": x`, `f:1: "": unknown key; the known keys are name, poll_interval, tasks`},
	}
	for _, tt := range tests {
		m, err := strictyaml.Parse("f", []byte(tt.give))
		if err != nil {
			t.Fatal(err)
		}
		checkError(t, m.CheckKeys(known), tt.want)
	}
	m, err := strictyaml.Parse("f", []byte("tasks: 1\nname: 2"))
	if err != nil {
		t.Fatal(err)
	}
	if err := m.CheckKeys(known); err != nil {
		t.Errorf("CheckKeys of known keys: %v", err)
	}
	checkError(t, m.Missing("poll_interval"), `f:1: poll_interval: is missing`)
}
