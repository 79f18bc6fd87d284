package config

import (
	"os"
	"strings"
	"testing"
)

// docs/configuration.md has a row for each key, with its values and its default.
func TestEveryKeyIsDocumented(t *testing.T) {
	b, err := os.ReadFile("../docs/configuration.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string][]string{}
	for line := range strings.Lines(string(b)) {
		if cells := strings.Split(line, " | "); strings.HasPrefix(line, "| `") && len(cells) == 4 {
			rows[strings.Trim(cells[0], "|` ")] = cells
		}
	}
	for _, k := range keys() {
		cells := rows[k.name]
		if cells == nil {
			t.Errorf("no row for %s", k.name)
			continue
		}
		delete(rows, k.name)
		values := strings.NewReplacer("`", "", " (MiB)", "").Replace(cells[1])
		if values != k.kind.allowed() {
			t.Errorf("%s: the page says %q, the program %q", k.name, values, k.kind.allowed())
		}
		if fallback := strings.Trim(cells[2], "`"); fallback != k.fallback {
			t.Errorf("%s: the default is %s on the page, and %s in the program", k.name, fallback, k.fallback)
		}
	}
	for name := range rows {
		t.Errorf("a row for %s, which is no key", name)
	}
}
