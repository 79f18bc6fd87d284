package api

import (
	"encoding/json"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

// What docs and examples say of metrics is there. Where promtool is installed, it judges
// the rules.
func TestExamplesAskForMetricsThatThereAre(t *testing.T) {
	named := regexp.MustCompile(`air_executor_[a-z_]+`)
	asked := map[string]bool{}
	for _, file := range []string{"../examples/grafana/air-executor.json", "../examples/prometheus.yml", "../examples/alerts.yml"} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range named.FindAllString(string(text), -1) {
			name = strings.TrimSuffix(name, "_bucket")
			if asked[name] = true; wantedKinds[name] == "" {
				t.Errorf("%s: there is no %s", file, name)
			}
		}
	}
	page, err := os.ReadFile("../docs/metrics.md")
	if err != nil {
		t.Fatal(err)
	}
	for name := range wantedKinds {
		if !strings.Contains(string(page), "`"+strings.TrimPrefix(name, "air_executor_")+"`") {
			t.Errorf("docs/metrics.md does not have %s", name)
		}
	}
	if tool, err := exec.LookPath("promtool"); err == nil {
		for _, args := range [][]string{{"rules", "../examples/alerts.yml"}, {"config", "--syntax-only", "../examples/prometheus.yml"}} {
			if text, err := exec.Command(tool, append([]string{"check"}, args...)...).CombinedOutput(); err != nil {
				t.Errorf("promtool check %s: %v\n%s", args, err, text)
			}
		}
	}
}

// The dashboard can be imported anywhere: its data source is chosen at its top.
func TestTheDashboardNamesNoDataSource(t *testing.T) {
	text, err := os.ReadFile("../examples/grafana/air-executor.json")
	if err != nil {
		t.Fatal(err)
	}
	var doc map[string]any
	if err := json.Unmarshal(text, &doc); err != nil {
		t.Fatal(err)
	}
	if doc["__inputs"] != nil {
		t.Error("it has __inputs")
	}
	uids := 0
	var walk func(v any)
	walk = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			if source, is := v["datasource"].(map[string]any); is {
				if uids++; source["uid"] != "${datasource}" {
					t.Errorf("a data source is %v", source)
				}
			}
			for _, inner := range v {
				walk(inner)
			}
		case []any:
			for _, inner := range v {
				walk(inner)
			}
		}
	}
	if walk(doc); uids < 30 {
		t.Errorf("%d data sources", uids)
	}
}
