package main

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// endpoints are the operations of the HTTP API that do what a command does to jobs.
var endpoints = map[string][]string{
	"enqueue": {"addTasks"}, "submit": {"addJob"}, "rerun": {"rerunJob"},
	"pause": {"pauseJob", "pauseAll"}, "resume": {"resumeJob", "resumeAll"},
	"cancel": {"cancelJob", "cancelTask", "cancelLabelled"}, "kill": {"killJob", "killTask"},
	"retry": {"retryJob", "retryTask"}, "reset": {"resetJob", "resetTask"}, "dismiss": {"dismissJob", "dismissTask"},
	"edit": {"editTask"}, "move": {"moveTask"}, "remove": {"removeJob", "removeTask"}, "prune": {"prune"},
	"job set": {"changeJob"}, "pool set": {"setPool"}, "pool remove": {"removePool"},
	"schedule add": {"addSchedule"}, "schedule edit": {"changeSchedule"}, "schedule remove": {"removeSchedule"},
	"schedule pause": {"pauseSchedule"}, "schedule resume": {"resumeSchedule"}, "schedule run": {"runSchedule"},
}

// noEndpoint are the commands without one: they read, are about this machine or this
// shell, or about the server and the manager themselves.
var noEndpoint = []string{
	"start", "stop", "serve", "open", "status", "logs", "history", "stats", "events", "wait", "job show", "pool list", "schedule list", "schedule show",
	"run",              // submit, and waiting
	"import", "export", // files and folders of this machine
	"validate", "show", "schema", "config show", "config check", "config init", "doctor", "upgrade", "managers", "man", "completion", "help", "version",
}

func TestEachCommandThatChangesAJobHasAnEndpoint(t *testing.T) {
	text, err := os.ReadFile("../../api/openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	changing := map[string]bool{}
	for _, m := range regexp.MustCompile(`\n    (\w+):\n      operationId: (\w+)`).FindAllStringSubmatch(string(text), -1) {
		if m[1] != "get" && !strings.Contains(m[2], "log") && m[2] != "logIn" && m[2] != "logOut" && m[2] != "makeCode" {
			changing[m[2]] = true
		}
	}
	for _, name := range commands(t) {
		operations, has := endpoints[name]
		if has == slices.Contains(noEndpoint, name) {
			t.Errorf("command %q is in none of the two lists, or in both", name)
		}
		for _, o := range operations {
			if !changing[o] {
				t.Errorf("command %q: the API has no operation %s", name, o)
			}
			delete(changing, o)
		}
	}
	for o := range changing {
		t.Errorf("operation %s is of no command", o)
	}
}
