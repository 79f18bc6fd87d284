package traces

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func find(settings ...string) (*Config, []string, error) {
	return Find(func(name string) string {
		for _, kv := range settings {
			if key, value, _ := strings.Cut(kv, "="); key == name {
				return value
			}
		}
		return ""
	})
}

func TestWhereSpansGo(t *testing.T) {
	const base, own = "OTEL_EXPORTER_OTLP_ENDPOINT=", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT="
	for settings, want := range map[string]string{
		base + "http://c:4318":                                  "http://c:4318/v1/traces",
		base + "http://c:4318/":                                 "http://c:4318/v1/traces",
		base + "https://c/below":                                "https://c/below/v1/traces",
		base + "http://c " + own + "https://t/x":                "https://t/x",
		own + "http://t:1":                                      "http://t:1/",
		own + "http://t/?key=a":                                 "http://t/?key=a",
		own + "http://t/ OTEL_EXPORTER_OTLP_PROTOCOL=http/json": "http://t/",
		own + "http://t/ OTEL_TRACES_EXPORTER=otlp":             "http://t/",
		own + "http://t/ OTEL_SDK_DISABLED=false":               "http://t/",
		own + "http://t/ OTEL_SDK_DISABLED=TRUE":                "",
		own + "http://t/ OTEL_TRACES_EXPORTER=none":             "",
		"":   "",
		base: "",
		"OTEL_SERVICE_NAME=a OTEL_EXPORTER_OTLP_PROTOCOL=grpc": "", // of no consequence
	} {
		c, warnings, err := find(strings.Fields(settings)...)
		got := ""
		if c != nil {
			got = c.URL
		}
		if got != want || err != nil || len(warnings) > 0 {
			t.Errorf("%s: %q, %v, %v, want %q", settings, got, warnings, err, want)
		}
	}
}

func TestWrongVariablesAreNamed(t *testing.T) {
	const endpoint = "OTEL_EXPORTER_OTLP_ENDPOINT=http://c "
	for settings, want := range map[string]string{
		"OTEL_EXPORTER_OTLP_ENDPOINT=c:4318":                          "OTEL_EXPORTER_OTLP_ENDPOINT is not an address of a collector; an example: http://127.0.0.1:4318",
		"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=grpc://u:secret@c":        "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT is not an address of a collector; an example: http://127.0.0.1:4318",
		endpoint + "OTEL_EXPORTER_OTLP_PROTOCOL=grpc":                 `OTEL_EXPORTER_OTLP_PROTOCOL: "grpc" is not spoken here: only http/json is`,
		endpoint + "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL=http/protobuf": `OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: "http/protobuf" is not spoken here: only http/json is`,
		endpoint + "OTEL_EXPORTER_OTLP_TIMEOUT=10s":                   `OTEL_EXPORTER_OTLP_TIMEOUT is passed over: "10s" is not a number of milliseconds`,
		endpoint + "OTEL_EXPORTER_OTLP_HEADERS=a=1,secret":            "OTEL_EXPORTER_OTLP_HEADERS is passed over: its entry 2 is not name=value",
		endpoint + "OTEL_EXPORTER_OTLP_HEADERS=a=%0asecret":           "OTEL_EXPORTER_OTLP_HEADERS is passed over: its entry 1 is not name=value",
		endpoint + "OTEL_RESOURCE_ATTRIBUTES==x":                      "OTEL_RESOURCE_ATTRIBUTES is passed over: its entry 1 is not name=value",
		endpoint + "OTEL_EXPORTER_OTLP_COMPRESSION=zstd":              `OTEL_EXPORTER_OTLP_COMPRESSION is passed over: "zstd" is neither gzip nor none`,
		endpoint + "OTEL_TRACES_EXPORTER=console":                     `OTEL_TRACES_EXPORTER is passed over: "console" is neither otlp nor none`,
	} {
		_, warnings, err := find(strings.Fields(settings)...)
		got := strings.Join(warnings, "; ")
		if err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%s: %q, want %q", settings, got, want)
		}
	}
}

func TestWhatIsForTracesWins(t *testing.T) {
	c, _, err := find("OTEL_EXPORTER_OTLP_ENDPOINT=http://c", "OTEL_EXPORTER_OTLP_TIMEOUT=1", "OTEL_EXPORTER_OTLP_TRACES_TIMEOUT=250",
		"OTEL_EXPORTER_OTLP_HEADERS=a=1", "OTEL_EXPORTER_OTLP_TRACES_HEADERS=b=2 , c=a%3Db", "OTEL_EXPORTER_OTLP_COMPRESSION=none")
	if err != nil || c.Timeout != 250*time.Millisecond || c.Gzip {
		t.Fatalf("%+v, %v", c, err)
	}
	if diff := cmp.Diff(map[string][]string{"B": {"2"}, "C": {"a=b"}}, map[string][]string(c.Headers)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := c.Resource[0]; got != Text("service.name", "air-executor") {
		t.Errorf("%+v", got)
	}
}
