package runner

import (
	"slices"
	"testing"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/job"
)

func TestVariablesComeOnTopOfTheEnvironmentOfTheManager(t *testing.T) {
	t.Setenv("OF_THE_MANAGER", "1")
	env := environment(&Setup{BasePath: t.TempDir()}, &db.Assignment{Env: job.OnTop([]string{"OWN=2"})})
	if !slices.Contains(env, "OF_THE_MANAGER=1") || !slices.Contains(env, "OWN=2") || slices.Contains(env, job.OnManager) {
		t.Errorf("environment: %q", env)
	}
	env = environment(&Setup{BasePath: t.TempDir()}, &db.Assignment{Env: []string{"OWN=2"}})
	if slices.Contains(env, "OF_THE_MANAGER=1") {
		t.Errorf("environment: %q", env)
	}
}
