package runner

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/internal/traceparent"
)

func TestWhatATaskGets(t *testing.T) {
	a := &db.Assignment{Job: "j", Task: "t", Attempt: 2, Slot: 1, Pools: []db.PoolPlaces{{Pool: "big-gpu", Numbers: []int{0, 2}}}, Token: "k", Dir: "/work", Env: []string{
		"A=1", "PATH=/bin", "AIR_EXECUTOR_TOKEN=old", "AIR_EXECUTOR_CONFIG=rel.yaml", "AIR_EXECUTOR_POOL_OTHER=3", "NOTIFY_SOCKET=given on purpose",
	}}
	own := []string{
		"AIR_EXECUTOR_BASE_PATH=/b", "AIR_EXECUTOR_JOB=j", "AIR_EXECUTOR_TASK=t", "AIR_EXECUTOR_ATTEMPT=2", "AIR_EXECUTOR_SLOT=1", "AIR_EXECUTOR_TOKEN=k",
		traceparent.Of("k", nil).Settings()[0], "AIR_EXECUTOR_POOL_BIG_GPU=0,2",
	}
	for name, tt := range map[string]struct {
		setup Setup
		want  []string
	}{
		"plain": {Setup{BasePath: "/b"},
			append([]string{"A=1", "PATH=/bin:/b/bin", "NOTIFY_SOCKET=given on purpose"}, append(own, "PWD=/work")...)},
		"with a file": {Setup{BasePath: "/b", ConfigFile: "/etc/a.yaml", AllowForeign: true},
			append([]string{"A=1", "PATH=/bin:/b/bin", "NOTIFY_SOCKET=given on purpose"},
				append(own, "AIR_EXECUTOR_CONFIG=/etc/a.yaml", "AIR_EXECUTOR_ALLOW_FOREIGN_BASE_PATH=1", "PWD=/work")...)},
	} {
		if diff := cmp.Diff(tt.want, environment(&tt.setup, a)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// What queued a task is the parent of its span; what started the manager is not.
func TestTheTraceOfATask(t *testing.T) {
	given := []string{"TRACEPARENT=00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "TRACESTATE=v=1"}
	for _, kv := range given {
		name, value, _ := strings.Cut(kv, "=")
		t.Setenv(name, value)
	}
	own := traceparent.Of("k", nil).Settings()
	for name, tt := range map[string]struct{ stored, want []string }{
		"queued in a trace":             {given, traceparent.Of("k", given).Settings()},
		"queued elsewhere":              {[]string{"A=1"}, own},
		"queued with a broken one":      {[]string{"TRACEPARENT=1", given[1]}, own},
		"with the manager's":            {nil, own},
		"by a schedule":                 {Untraced(given), own},
		"by one with the manager's":     {Untraced(nil), own},
		"by one, with another variable": {Untraced(append(given, "A=1")), own},
	} {
		var got []string
		for _, kv := range environment(&Setup{BasePath: "/b"}, &db.Assignment{Token: "k", Env: tt.stored}) {
			if strings.HasPrefix(kv, "TRACE") {
				got = append(got, kv)
			}
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestATaskWithoutAPathGetsOne(t *testing.T) {
	for base, want := range map[string]string{"/b": "PATH=" + defaultPath + ":/b/bin", "/a:b": "PATH=" + defaultPath} {
		env := environment(&Setup{BasePath: base}, &db.Assignment{Env: []string{}})
		if got := env[len(env)-1]; got != want {
			t.Errorf("base path %s: %s, want %s", base, got, want)
		}
	}
}

// A task in a service that speaks to systemd must not speak in the manager's name,
// and one environment for each start of a service would fill the database.
func TestServiceVariablesOfTheManagerAreNotHandedOn(t *testing.T) {
	for _, name := range passing {
		t.Setenv(name, "set")
	}
	t.Setenv("CREDENTIALS_DIRECTORY", "/run/credentials/x")
	env := "\n" + strings.Join(environment(&Setup{BasePath: "/b"}, &db.Assignment{Dir: "/work"}), "\n") + "\n"
	for _, name := range passing {
		if strings.Contains(env, "\n"+name+"=set\n") {
			t.Errorf("the task has %s", name)
		}
	}
	if !strings.Contains(env, "\nCREDENTIALS_DIRECTORY=") || !strings.Contains(env, "\nPWD=/work\n") {
		t.Errorf("the task lacks a variable: %s", env)
	}
}

func TestTheSetupSurvivesTheCommandLine(t *testing.T) {
	give := Setup{BasePath: "/b", BootID: "x", ConfigFile: "/c = d", AllowForeign: true}
	got, err := parseSetup(give.args()[1:])
	if err != nil {
		t.Fatal(err)
	}
	if got.ConfigFile != give.ConfigFile || !got.AllowForeign {
		t.Errorf("%+v, want %+v", got, give)
	}
}

func TestTheLastPathIsExtended(t *testing.T) {
	got := withProgram([]string{"PATH=/shell", "A=1", "PATH=/given"}, "/b")
	if want := []string{"PATH=/shell", "A=1", "PATH=/given:/b/bin"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}
