// Package taskfile reads and writes files of tasks and jobs: tasks.json and state.json,
// which other tools know, the JSON lines of enqueue --from-file, and the job files of
// run. One table of keys (keys.go) defines where each key may occur, and how it is
// checked and written; the published JSON Schemas are generated from it. The same
// mistake has the same message in every kind of file, with file, line and key.
package taskfile

// form is a kind of file, or the flags, in which keys occur. A set of forms is their
// sum.
type form uint8

const (
	inTasks   form = 1 << iota // tasks.json
	inLines                    // enqueue --from-file: JSON lines, or an array
	inJobFile                  // a job file of run, in YAML or JSON
	inState                    // state.json
	inFlags                    // the flags of enqueue and run
)

func (f form) has(one form) bool { return f&one != 0 }

// keepsUnknown reports whether unknown keys are kept because they belong to other
// tools. The other forms are written by users, and ignoring a mistyped key would lose a
// dependency or a folder.
func (f form) keepsUnknown() bool { return f == inTasks || f == inState }

// takesNull reports whether a key with null counts as missing.
func (f form) takesNull() bool { return f != inJobFile }
