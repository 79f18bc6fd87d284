package api

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/air-executor/air-executor/db"
)

// Limits of a subscription, as in the document.
const (
	maxJobs  = 200
	maxTypes = 50
	maxLogs  = 20
)

// subscription is what a client of the WebSocket wants to be told.
type subscription struct {
	After db.Cursor `json:"after"` // empty: behind what it was told
	Jobs  []string  `json:"jobs"`  // none: all
	Types []string  `json:"types"` // none: all
	Logs  []logRef  `json:"logs"`
}

// readSubscription reads a message of a client. Unknown keys are faults.
func readSubscription(text []byte) (subscription, error) {
	var message struct {
		Subscribe *subscription `json:"subscribe"`
	}
	if !json.Valid(text) {
		return subscription{}, badBody.errorf("the message is not JSON")
	}
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&message); err != nil {
		p := invalid.errorf("the message is wrong")
		p.faults = []Fault{{Pointer: "", Message: strings.TrimPrefix(err.Error(), "json: ")}}
		return subscription{}, p
	}
	if message.Subscribe == nil {
		p := invalid.errorf("the message is wrong")
		p.faults = []Fault{{Pointer: "/subscribe", Message: "is missing"}}
		return subscription{}, p
	}
	faults := message.Subscribe.faults()
	if len(faults) > 0 {
		p := invalid.errorf("%s %s", strings.TrimPrefix(faults[0].Pointer, "/subscribe/"), faults[0].Message)
		p.faults = faults
		return subscription{}, p
	}
	return *message.Subscribe, nil
}

// faults returns all that is wrong.
func (s *subscription) faults() (out []Fault) {
	fault := func(at, format string, args ...any) {
		out = append(out, Fault{Pointer: "/subscribe/" + at, Message: fmt.Sprintf(format, args...)})
	}
	for _, l := range []struct {
		name       string
		have, most int
	}{{"jobs", len(s.Jobs), maxJobs}, {"types", len(s.Types), maxTypes}, {"logs", len(s.Logs), maxLogs}} {
		if l.have > l.most {
			fault(l.name, "has %d elements, more than %d", l.have, l.most)
		}
	}
	query := db.EventQuery{Types: s.Types}
	if len(s.Types) <= maxTypes {
		if t := query.UnknownType(); t != "" {
			fault("types", "has %q, and there is no such type of events", t)
		}
	}
	if slices.Contains(s.Jobs, "") {
		fault("jobs", "has an empty name")
	}
	for i, ref := range s.Logs {
		switch {
		case ref.Task < 1 || ref.Attempt < 1:
			fault(fmt.Sprintf("logs/%d", i), "must have the key of a task and the number of an attempt, from 1")
		case slices.Index(s.Logs, ref) < i:
			fault(fmt.Sprintf("logs/%d", i), "is there twice")
		}
		if i == maxLogs {
			break
		}
	}
	return out
}
