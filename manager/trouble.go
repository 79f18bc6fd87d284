package manager

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/air-executor/air-executor/lock"
)

// trouble is a reason why no task can start.
type trouble int

// The reasons. A reason that explains others comes first.
const (
	noRoom   trouble = iota // the disk is full
	noRunner                // no runner can be started
	noClaim                 // claims fail
	noLook                  // the database cannot be read
	reasons
)

// troubles holds the current reasons why no task can start. All services report to it.
type troubles struct {
	log     *slog.Logger
	publish func(text string) // publishes the reason for other processes; empty: tasks start
	mu      sync.Mutex        // guards what follows
	texts   [reasons]string
	shown   string
}

// report records that tasks cannot start for this reason, or, with a nil error, that
// the reason is gone. A change is logged, and published for other processes.
func (t *troubles) report(kind trouble, what string, err error) {
	text := ""
	if err != nil {
		text = fmt.Sprintf("%s: %v", what, err)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.texts[kind] == text {
		return
	}
	t.texts[kind] = text
	if err != nil {
		t.log.Error(what, "error", err)
	}
	now := ""
	for _, text := range t.texts {
		if text != "" {
			now = text
			break
		}
	}
	t.show(now)
}

// is reports whether this is a current reason.
func (t *troubles) is(kind trouble) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.texts[kind] != ""
}

// show publishes why tasks cannot start.
func (t *troubles) show(text string) {
	if text == t.shown {
		return
	}
	if text == "" {
		t.log.Info("tasks start again")
	}
	t.shown = text
	t.publish(text)
}

// publish tells other processes why tasks cannot start.
func (m *Manager) publish(text string) {
	if m.lock != nil {
		if err := note(m.lock, m.self.Manager, text); err != nil {
			m.log.Error("cannot note in "+LockName+" that nothing starts", "error", err)
		}
	}
	if m.options.Trouble != nil {
		m.options.Trouble(text)
	}
}

// note writes to the lock file who holds it, and why tasks cannot start. Serving reads
// it. It is not in the database, because the problem may be that the database cannot be
// written.
func note(l *lock.File, instance, trouble string) error {
	text := fmt.Sprintf("the manager, process %d\ninstance %s", os.Getpid(), instance)
	if trouble != "" {
		oneLine := strings.Join(strings.Fields(trouble), " ")
		text += fmt.Sprintf("\ntrouble %s %s", time.Now().UTC().Format(time.RFC3339), oneLine)
	}
	return l.Note(text)
}

// Holder is what a serving manager publishes about itself outside the database.
type Holder struct {
	PID      int       // in its own PID namespace; 0: unknown
	Instance string    // its id in the database; empty: an older version, which does not say
	Trouble  string    // why tasks cannot start; empty: they can
	Since    time.Time // when that began
}

// Serving reports whether a manager serves the base path, and what it publishes about
// itself. Right after its start, that may still be what the previous manager published.
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

// parseHolder reads what note has written. It ignores unknown keys.
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
