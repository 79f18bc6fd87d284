package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/internal/words"
	"github.com/air-executor/air-executor/job"
	"github.com/air-executor/air-executor/queue"
	"github.com/air-executor/air-executor/taskfile"
)

// Edited says what was changed.
type Edited = queue.EditResult

// EditedTask is a task that was.
type EditedTask = queue.EditedTask

// TaskChange has keys of a task with their new values; null takes one away.
type TaskChange map[string]json.RawMessage

func editTask(c *call) (answer, error) {
	var body TaskChange
	if err := c.read(&body); err != nil {
		return answer{}, err
	}
	edit, faults := body.editing()
	if len(faults) > 0 {
		return answer{}, wrongBody(faults...)
	}
	name, id, err := c.taskName()
	if err != nil {
		return answer{}, err
	}
	r, err := c.api.queue.Edit(c.Context(), name, []string{id}, func(s *job.Spec) error {
		if err := edit.Apply(s); err != nil {
			return wrongBody(Fault{Message: err.Error()})
		}
		if s.Dir != "" && !filepath.IsAbs(s.Dir) {
			return wrongBody(Fault{Pointer: "/working_directory", Message: taskfile.NotAbsolute(s.Dir).Error()})
		}
		return nil
	})
	var missing *db.Missing
	switch {
	case errors.As(err, &missing) && missing.By != "", errors.Is(err, db.ErrCycle), errors.As(err, new(*db.NoRoom)):
		err = wrongBody(Fault{Message: err.Error()})
	case errors.Is(err, db.ErrKeyTaken):
		err = contradicts.of(err)
	}
	return ok(r, contradiction(err))
}

// editing is the change that is asked for, and all that is wrong with it.
func (b TaskChange) editing() (*taskfile.Editing, []Fault) {
	edit := new(taskfile.Editing)
	var faults []Fault
	note := func(pointer string, err error) {
		if err != nil {
			faults = append(faults, Fault{Pointer: pointer, Message: err.Error()})
		}
	}
	for _, key := range slices.Sorted(maps.Keys(b)) {
		var inner map[string]json.RawMessage
		raw := b[key]
		if (key == "labels" || key == "env") && json.Unmarshal(raw, &inner) == nil && inner != nil {
			for _, name := range slices.Sorted(maps.Keys(inner)) {
				note("/"+key+"/"+jsonPointer(name), bare(key, setOne(edit, key+"."+name, inner[name])))
			}
			continue
		}
		note("/"+jsonPointer(key), bare(key, setOne(edit, key, raw)))
	}
	return edit, faults
}

// bare is an error without the key at its beginning, which the pointer has.
func bare(key string, err error) error {
	if err == nil {
		return nil
	}
	text := err.Error()
	for _, begin := range []string{key + ": ", words.Quote(key) + ": ", key + " "} {
		text = strings.TrimPrefix(text, begin)
	}
	return errors.New(text)
}

// setOne adds the change of one key.
func setOne(edit *taskfile.Editing, key string, raw json.RawMessage) error {
	if string(raw) == "null" {
		return edit.Unset(key)
	}
	text := string(bytes.TrimSpace(raw))
	if text[0] == '"' {
		if err := json.Unmarshal(raw, &text); err != nil {
			return err
		}
	}
	return edit.Set(key + "=" + text)
}
