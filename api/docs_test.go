package api

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// docs/api.md has a part for each endpoint, with an example that works.
func TestExamplesOfTheDocsWork(t *testing.T) {
	page, err := os.ReadFile("../docs/api.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range routes() {
		if !strings.Contains(string(page), "\n### "+r.method+" "+r.path+"\n") {
			t.Errorf("docs/api.md has no part for %s %s", r.method, r.path)
		}
	}
	if _, err := exec.LookPath("curl"); err != nil {
		t.Skip("curl is not installed")
	}
	s := serve(t, Options{})
	s.enqueue("demo", command("a", "b")...)
	s.ran("demo", "hello\n", failed)
	events, err := os.ReadFile("../docs/events.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?s)(-->\n)?```sh\n(.*?)```")
	script := "set -e\n"
	for _, b := range blocks.FindAllStringSubmatch(string(page), -1) {
		if b[1] == "" {
			script += b[2]
		}
	}
	for _, b := range blocks.FindAllStringSubmatch(string(events), -1) {
		if strings.Contains(b[2], "curl") { // the others are of the command line
			script += b[2]
		}
	}
	cmd := exec.Command("bash", "-c", script)
	cmd.Dir = filepath.Dir(s.base)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
