// Package taskfile reads and writes tasks and jobs in files: tasks.json and
// state.json, which other tools know, the JSON lines of enqueue --from-file, and
// the job files of run. One table of keys (keys.go) says what may stand where, how
// it is checked and written; the published JSON Schemas are made from it. A mistake
// is one sentence, in whichever file it is, with file, line and key.
package taskfile

// form is one of the places where the keys of the tables may stand. A set of them
// is their sum.
type form uint8

const (
	inTasks   form = 1 << iota // tasks.json
	inLines                    // enqueue --from-file: JSON lines, or an array
	inJobFile                  // a job file of run, in YAML or JSON
	inState                    // state.json
	inFlags                    // the flags of enqueue and run
)

func (f form) has(one form) bool { return f&one != 0 }

// keepsUnknown reports whether keys that are in no table are those of other tools,
// and kept. Elsewhere people write what is to be done, and a key that is passed over
// would be an order or a folder that is lost.
func (f form) keepsUnknown() bool { return f == inTasks || f == inState }

// takesNull reports whether a key with null is as one that is not there.
func (f form) takesNull() bool { return f != inJobFile }
