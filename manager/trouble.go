package manager

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/air-executor/air-executor/lock"
)

// trouble is a kind of thing that keeps tasks from starting.
type trouble int

// The kinds, the one first that explains the others.
const (
	noRoom   trouble = iota // the disk is full
	noRunner                // no runner can be started
	noClaim                 // the database takes no claim
	noLook                  // it cannot be read
	troubles
)

// report says that something keeps tasks from starting, or for a nil error that
// it no longer does. A change is logged, and shown where others can read it.
func (m *Manager) report(kind trouble, what string, err error) {
	text := ""
	if err != nil {
		text = fmt.Sprintf("%s: %v", what, err)
	}
	if m.trouble[kind] == text {
		return
	}
	m.trouble[kind] = text
	if err != nil {
		m.log.Error(what, "error", err)
	}
	now := ""
	for _, text := range m.trouble {
		if text != "" {
			now = text
			break
		}
	}
	m.show(now)
}

// show tells others what keeps tasks from starting.
func (m *Manager) show(text string) {
	if text == m.shown {
		return
	}
	if text == "" {
		m.log.Info("tasks start again")
	}
	m.shown = text
	if err := m.note(text); err != nil {
		m.log.Error("cannot note in "+LockName+" that nothing starts", "error", err)
	}
	if m.options.Trouble != nil {
		m.options.Trouble(text)
	}
}

// note writes into the lock file who holds it, and what keeps tasks from
// starting. It is read with Serving. This is no matter for the database, which
// may be what cannot be written.
func (m *Manager) note(trouble string) error {
	if m.lock == nil {
		return nil
	}
	text := fmt.Sprintf("the manager, process %d\ninstance %s", os.Getpid(), m.self.Manager)
	if trouble != "" {
		oneLine := strings.Join(strings.Fields(trouble), " ")
		text += fmt.Sprintf("\ntrouble %s %s", time.Now().UTC().Format(time.RFC3339), oneLine)
	}
	return m.lock.Note(text)
}

// Holder is what a manager that serves says of itself beside the database.
type Holder struct {
	PID      int       // in its own PID namespace; 0: unknown
	Instance string    // its id in the database; empty: it is of a version that does not say
	Trouble  string    // what keeps tasks from starting; empty: nothing does
	Since    time.Time // when that began
}

// Serving reports whether a manager serves the base path, and what it says of
// itself. In the first moment of its life, that is still what the manager
// before it has said.
func Serving(base string) (Holder, bool, error) {
	path := filepath.Join(base, LockName)
	on, err := lock.Held(path)
	if err != nil || !on {
		return Holder{}, false, err
	}
	text, err := lock.ReadNote(path)
	if errors.Is(err, os.ErrNotExist) {
		return Holder{}, false, nil
	}
	return parseHolder(text), true, err
}

// parseHolder reads what note has written. What it does not know, it leaves out.
func parseHolder(text string) (h Holder) {
	for line := range strings.Lines(text) {
		key, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		switch key {
		case "held":
			_, _ = fmt.Sscanf(value, "by the manager, process %d", &h.PID)
		case "instance":
			h.Instance = value
		case "trouble":
			at, what, _ := strings.Cut(value, " ")
			h.Since, _ = time.Parse(time.RFC3339, at)
			h.Trouble = what
		}
	}
	return h
}
