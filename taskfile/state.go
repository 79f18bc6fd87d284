package taskfile

import (
	"bytes"
	"fmt"
	"io"
	"unicode"

	"github.com/air-executor/air-executor/internal/words"
	"github.com/air-executor/air-executor/job"
)

// maxUUID is the greatest length of a job's id in bytes. Other tools use UUIDs, but
// nothing depends on that.
const maxUUID = 200

// ParseState reads a state.json. File is its name for messages. The key name is
// required. A job without an id gets one, and one without a state is waiting; a time
// that is missing or null is the zero time. Other keys are kept in Extra. Errors are of
// type *Error.
func ParseState(file string, data []byte) (job.Job, error) {
	in := newStream(file, bytes.NewReader(data), inSequence, "an object")
	err := in.object()
	if err == io.EOF {
		err = in.fail(in.lines.read, "the file is empty, want %s", in.want)
	}
	var j job.Job
	if err == nil {
		j.Extra, err = stateKeys.object(&in.o, inState, &j)
		err = in.placed(err)
	}
	if err == nil {
		err = in.end("the object")
	}
	if err != io.EOF {
		return job.Job{}, err
	}
	if j.UUID == "" {
		j.UUID = job.NewUUID()
	}
	if j.State == "" {
		j.State = job.StateWaiting
	}
	return j, nil
}

// FormatState returns a state.json: the known keys in order, followed by those of
// j.Extra, unchanged. It fails if the job has no valid identity, name or state, or if
// Extra is not a JSON object.
func FormatState(j job.Job) ([]byte, error) {
	if err := checkUUID(j.UUID); err != nil {
		return nil, err
	}
	if err := job.CheckName(j.Name); err != nil {
		return nil, err
	}
	if _, err := words.OneOf("state", string(j.State), job.States); err != nil {
		return nil, err
	}
	w := objectWriter{depth: 1}
	stateKeys.write(&w, inState, &j)
	if err := w.extra(j.Extra, func(key string) bool { return stateKeys.find(key) >= 0 }); err != nil {
		return nil, fmt.Errorf("job %s: %w", j.Name, err)
	}
	w.end()
	return append(w.b, '\n'), nil
}

func checkUUID(id string) error {
	switch {
	case id == "":
		return fmt.Errorf("job id is empty")
	case len(id) > maxUUID:
		return fmt.Errorf("job id %s has %d bytes, at most %d are allowed", words.Quote(id), len(id), maxUUID)
	}
	for _, r := range id {
		if !unicode.IsPrint(r) {
			return fmt.Errorf("job id %s contains the unprintable character %U", words.Quote(id), r)
		}
	}
	return nil
}
