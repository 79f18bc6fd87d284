package config_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/air-executor/air-executor/config"
)

// FuzzConfig holds that any file either is an error that names the file, or
// gives settings that mean the same when they are written to a file.
func FuzzConfig(f *testing.F) {
	f.Add("poll_interval: 5\nlog_level: debug\n")
	f.Add("{\"base_path\": \"\\ud83d\\ude00/x\", \"max_subtasks\": 1_0}")
	f.Add("base_path: 'a: b'\n---\n")
	f.Add("a: &x [*x, {<<: !!int ~}]\n\tb")
	f.Add("\xef\xbb\xbf# x\r\nlog_format: console")
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, content string) {
		path := write(t, dir, "in.yaml", content)
		c, err := config.Load(config.Overrides{WorkDir: dir, ConfigPath: flag(path)})
		if err != nil {
			var e *config.Error
			if !errors.As(err, &e) || !strings.HasPrefix(err.Error(), path) {
				t.Fatalf("error %v (%T) does not name the file", err, err)
			}
			return
		}
		var b strings.Builder
		for _, s := range c.Settings() {
			fmt.Fprintf(&b, "%s: %s\n", s.Key, s.Value)
		}
		again, err := config.Load(config.Overrides{ConfigPath: flag(write(t, dir, "out.yaml", b.String()))})
		if err != nil {
			t.Fatalf("settings of %q do not load: %v", content, err)
		}
		again.File = c.File
		if diff := cmp.Diff(c, again, ignoreSettings); diff != "" {
			t.Errorf("settings of %q (-want +got):\n%s", content, diff)
		}
	})
}
