package strictyaml_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/air-executor/air-executor/internal/strictyaml"
)

func parsed(t *testing.T, text string) strictyaml.Value {
	t.Helper()
	v, err := strictyaml.ParseValue("f", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return *v
}

// flat is a value as text.
func flat(v strictyaml.Value) string {
	switch v.Kind() {
	case strictyaml.Mapping:
		m, _ := v.Map()
		var parts []string
		for _, e := range m.Entries {
			parts = append(parts, e.Key+":"+flat(e.Value))
		}
		return "{" + strings.Join(parts, " ") + "}"
	case strictyaml.List:
		items, _ := v.List()
		var parts []string
		for _, item := range items {
			parts = append(parts, flat(item))
		}
		return "[" + strings.Join(parts, " ") + "]"
	}
	return v.Raw()
}

func TestRewriteLeavesTheValueAlone(t *testing.T) {
	v := parsed(t, "a: [x, 5, {b: y}]\nx: z\n")
	var seen []string
	got, err := v.Rewrite(func(v strictyaml.Value) (string, error) {
		seen = append(seen, v.Raw())
		return strings.ToUpper(v.Raw()), nil
	})
	if err != nil || flat(got) != "{a:[X 5 {b:Y}] x:Z}" || flat(v) != "{a:[x 5 {b:y}] x:z}" {
		t.Errorf("rewritten: %s, %v; the value: %s", flat(got), err, flat(v))
	}
	if !slices.Equal(seen, []string{"x", "y", "z"}) {
		t.Errorf("texts: %q", seen)
	}
}

func TestOverAndWithout(t *testing.T) {
	base := parsed(t, "a: 1\nenv: {A: 1, B: 2}\nz: 9\n")
	v := parsed(t, "env: {B: 3}\na: 2\n")
	if got := flat(v.Over(base, "env")); got != "{z:9 env:{A:1 B:3} a:2}" {
		t.Errorf("over: %s", got)
	}
	if got := flat(v.Over(base)); got != "{z:9 env:{B:3} a:2}" {
		t.Errorf("over, not deep: %s", got)
	}
	if got := flat(v.Without("env")); got != "{a:2}" {
		t.Errorf("without: %s", got)
	}
	if flat(v) != "{env:{B:3} a:2}" || flat(base) != "{a:1 env:{A:1 B:2} z:9}" {
		t.Errorf("changed: %s, %s", flat(v), flat(base))
	}
}
