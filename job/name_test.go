package job_test

import (
	"testing"

	"github.com/air-executor/air-executor/job"
)

func TestNamesThatLookLikeFlagsOrLikeNothingAreRefused(t *testing.T) {
	for name, ok := range map[string]bool{
		"-rf": false, "-": false, "\u3164": false, "\u115f\uffa0": false, "a-": true, "_": true, "\u3164a": true, "한": true,
	} {
		if err := job.CheckNewName(name); (err == nil) != ok {
			t.Errorf("new job %+q: %v", name, err)
		}
		if err := job.CheckName(name); err != nil {
			t.Errorf("job %+q, which may be there: %v", name, err)
		}
	}
	for id, ok := range map[string]bool{
		" ": false, "   ": false, "\u3164": false, "\u2800": false, "\ufe0f": false, " a ": true, "-x": true, ".": true,
	} {
		s := job.Spec{ID: id, Command: "true"}
		if err := s.Check(); (err == nil) != ok {
			t.Errorf("new task %+q: %v", id, err)
		}
		// A dependency names a task that may be there.
		s = job.Spec{Command: "true", Dependencies: []string{id}}
		if err := s.Check(); err != nil {
			t.Errorf("dependency on %+q: %v", id, err)
		}
	}
}

func TestJoinersAreAllowedWhereScriptsNeedThem(t *testing.T) {
	for id, ok := range map[string]bool{
		"می\u200cخواهم": true, "👩\u200d💻": true, "🏳\ufe0f\u200d🌈": true, "ന\u0d4d\u200d": true,
		"a\u200db": false, "\u200dx": false, "é\u200d\u200dé": false, "\u200d": false, "é\u200b": false,
	} {
		if err := job.CheckID(id); (err == nil) != ok {
			t.Errorf("%+q: %v", id, err)
		}
	}
}
