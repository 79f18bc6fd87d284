package job_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/air-executor/air-executor/job"
)

func TestParseLabels(t *testing.T) {
	got, err := job.ParseLabels([]string{"team=search", "a.b/c-d=x=y", "note="})
	if err != nil || !slices.Equal(got, []string{"a.b/c-d=x=y", "note=", "team=search"}) {
		t.Errorf("labels %q, %v", got, err)
	}
	for give, want := range map[string]string{
		"team":                                 `"team" is not KEY=VALUE, as in team=search`,
		"=x":                                   `the key of a label is empty`,
		"a b=x":                                `label "a b" contains ' ': only letters, digits, -, _, . and / are allowed in a key`,
		"a=b\nc":                               `the value "b\nc" of a label contains the unprintable character U+000A`,
		"a=" + strings.Repeat("x", 256):        `the value of a label has 256 bytes, at most 255 are allowed`,
		strings.Repeat("k", 101) + "=" + "abc": `has a key of 101 characters, at most 100 are allowed`,
		"a=\xff":                               `the value of a label is not valid UTF-8`,
	} {
		if _, err := job.ParseLabels([]string{give}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", give, err, want)
		}
	}
	if _, err := job.ParseLabels([]string{"a=1", "a=2"}); err == nil || err.Error() != `label "a" is given twice` {
		t.Errorf("twice: %v", err)
	}
}

func TestUniqueForIsReadAsItIsWritten(t *testing.T) {
	for text, want := range map[string]job.UniqueFor{
		"running": job.UniqueWhileUnfinished, "pending": job.UniqueWhilePending, "1h30m0s": job.UniqueFor(90 * time.Minute),
	} {
		got, err := job.ParseUniqueFor(text)
		if err != nil || got != want || got.String() != text {
			t.Errorf("%s: %d, %v, written %s", text, got, err, got)
		}
	}
	for _, text := range []string{"", "never", "0s", "-5m"} {
		if _, err := job.ParseUniqueFor(text); err == nil || !strings.Contains(err.Error(), "want running, pending or a time above zero such as 10m, got ") {
			t.Errorf("%q: %v", text, err)
		}
	}
	for key, ok := range map[string]bool{"": false, "a": true, "a\nb": false, strings.Repeat("x", 255): true, strings.Repeat("x", 256): false, "\xff": false} {
		if err := job.CheckUniqueKey(key); (err == nil) != ok {
			t.Errorf("key %.20q: %v", key, err)
		}
	}
}
