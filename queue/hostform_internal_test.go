package queue

import "testing"

func TestSettingsHaveTheirTypes(t *testing.T) {
	for text, want := range map[string]any{"5": 5, "true": true, "json": "json", `"/a b"`: "/a b", "5s": "5s", "t": "t"} {
		if got := typed(text); got != want {
			t.Errorf("%s: %#v, want %#v", text, got, want)
		}
	}
}
