package taskfile_test

import (
	"errors"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/air-executor/air-executor/taskfile"
)

// Each mistake in a job file is found in its column. The mark ^ is before what is wrong, or
// before the key whose value is; it is not in the file.
func TestMistakesInJobFilesHaveAColumn(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.WriteFile("bad.env", []byte("A=1\nno value\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, marked := range []string{
		"^- a\n",
		"^name: a b\ntasks: [{id: a, command: x}]\n",
		"^task: []\n",
		"^tasks: []\n",
		"tasks:\n  - ^just text\n",
		"tasks:\n  - ^command: x\n",
		"tasks:\n  - id: a\n    ^comand: x\n",
		"tasks:\n  - id: a\n    command: x\n    ^timeout: soon\n",
		"tasks:\n  - {id: a, command: x, ^timeout: soon}\n",
		"tasks:\n  - {id: ä, command: x, ^priority: high}\n",
		"tasks:\n  - id: a\n    command: x\n    ^dependencies: [b]\n",
		"tasks:\n  - {id: a, command: x, ^dependencies: [b]}\n  - {id: b, command: x, dependencies: [a]}\n",
		"tasks:\n  - {id: a, command: x}\n  - {^id: a, command: y}\n",
		"tasks:\n  - id: a\n    command: x\n    ^env: {A: b, A: c}\n",
		"tasks:\n  - id: a\n    command: x\n    env:\n      ^'': c\n",
		"tasks:\n  - id: a\n    command: x\n    ^retries: -1\n",
		"tasks:\n  - id: a\n    command: x\n    ^pools: gpu:x\n",
		"tasks:\n  - id: a\n    command: x\n    ^run_if: never\n",
		"tasks:\n  - id: a\n    command: echo {{ ^nothing }}\n",
		"parameters:\n  ^n: {type: number}\ntasks: [{id: a, command: x}]\n",
		"parameters:\n  ^n: {type: int, default: x}\ntasks: [{id: a, command: x}]\n",
		"^labels: {a: [c]}\ntasks: [{id: a, command: x}]\n",
		"^parallel: none\ntasks: [{id: a, command: x}]\n",
		"schedule:\n  cron: '@daily'\n  ^overlap: wait\ntasks: [{id: a, command: x}]\n",
		"tasks:\n  - id: a\n   ^command: x\n",
		`{"tasks": [{"id": "a", "command": "x", ^"timeout": "soon"}]}`,
	} {
		text := strings.Replace(strings.Replace(marked, "{{ ^", "^{{ ", 1), "^", "", 1)
		before, _, _ := strings.Cut(strings.Replace(marked, "{{ ^", "^{{ ", 1), "^")
		line, column := 1+strings.Count(before, "\n"), len(before)-strings.LastIndexByte(before, '\n')
		_, err := taskfile.ParseJob("f", []byte(text))
		var at *taskfile.Error
		if !errors.As(err, &at) || at.Line != line || at.Column != column {
			t.Errorf("%s\n got %v\nwant f:%d:%d", marked, err, line, column)
		}
	}
}

var withColumn = regexp.MustCompile(`^([^:\n]+:\d+):\d+: `)

// noColumn is an error as tests write it that are not about columns.
func noColumn(err error, want string) string {
	if withColumn.MatchString(want) {
		return err.Error()
	}
	return withColumn.ReplaceAllString(err.Error(), "$1: ")
}
