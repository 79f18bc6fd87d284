package job

import (
	"fmt"
	"unicode"
)

// stateKeys are the keys of a state.json.
//
//	{"id": UUID, "name": "…", "state": "…", "created_at": TIME, "updated_at": TIME}
var stateKeys = []string{"id", "name", "state", "created_at", "updated_at"}

// maxUUID is the greatest length of a job's id in bytes. Other tools write
// UUIDs, but nothing depends on that.
const maxUUID = 200

// ParseState reads a state.json. File is its name for messages. The key name
// must be there. A job without an id gets one, and without a state it waits; a
// time that is missing or null is the zero time. Other keys are kept in Extra.
// Errors are of type *FileError.
func ParseState(file string, data []byte) (Job, error) {
	var o object
	if err := scanObject(data, &o); err != nil {
		return Job{}, inFile(err, file, -1)
	}
	var j Job
	for i := range o.members {
		m := &o.members[i]
		key := lookUp(stateKeys, m.key)
		if key == "" {
			j.Extra = appendExtra(j.Extra, &o, m)
			continue
		}
		if o.value(m).isNull() {
			continue
		}
		if err := setState(&j, key, o.value(m)); err != nil {
			return Job{}, &FileError{File: file, Index: -1, Line: o.lineOf(m), Key: key, Msg: err.Error()}
		}
	}
	j.Extra = endExtra(j.Extra)
	if j.Name == "" {
		return Job{}, &FileError{File: file, Index: -1, Line: o.line, Key: "name", Msg: "is missing"}
	}
	if j.UUID == "" {
		j.UUID = NewUUID()
	}
	if j.State == "" {
		j.State = StateWaiting
	}
	return j, nil
}

// FormatState writes a state.json: the known keys in their order, and after
// them those of j.Extra as they stand there. An error says that the job has no
// valid identity, name or state, or that Extra is not a JSON object.
func FormatState(j Job) ([]byte, error) {
	if err := checkUUID(j.UUID); err != nil {
		return nil, err
	}
	if err := CheckName(j.Name); err != nil {
		return nil, err
	}
	if _, err := oneOf("state", string(j.State), States); err != nil {
		return nil, err
	}
	w := objectWriter{depth: 1}
	w.text("id", j.UUID)
	w.text("name", j.Name)
	w.text("state", string(j.State))
	w.instant("created_at", j.CreatedAt)
	w.instant("updated_at", j.UpdatedAt)
	if err := w.extra(j.Extra, stateKeys); err != nil {
		return nil, fmt.Errorf("job %s: %w", j.Name, err)
	}
	w.end()
	return append(w.b, '\n'), nil
}

// setState sets the field that a key of state.json stands for.
func setState(j *Job, key string, v value) (err error) {
	var s string
	switch key {
	case "created_at":
		j.CreatedAt, err = v.instant()
		return err
	case "updated_at":
		j.UpdatedAt, err = v.instant()
		return err
	}
	if s, err = v.text(); err != nil {
		return err
	}
	switch key {
	case "id":
		if j.UUID = s; s != "" {
			err = checkUUID(s)
		}
	case "name":
		j.Name, err = s, CheckName(s)
	case "state":
		j.State, err = oneOf("state", s, States)
	}
	return err
}

func checkUUID(id string) error {
	switch {
	case id == "":
		return fmt.Errorf("job id is empty")
	case len(id) > maxUUID:
		return fmt.Errorf("job id %s has %d bytes, at most %d are allowed", quote(id), len(id), maxUUID)
	}
	for _, r := range id {
		if !unicode.IsPrint(r) {
			return fmt.Errorf("job id %s contains the unprintable character %U", quote(id), r)
		}
	}
	return nil
}

// missingOf returns the first key of the pairs of key and value whose value is
// empty, or "".
func missingOf(pairs ...string) string {
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i+1] == "" {
			return pairs[i]
		}
	}
	return ""
}
