package db

import (
	"cmp"
	"context"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/air-executor/air-executor/internal/failpoint"
)

// How roll-ups are kept.
const (
	statsReader   = "stats" // the reader of events, see SetReader
	foldedAtOnce  = 200     // events
	minutesKept   = 30 * 24 * time.Hour
	hoursKept     = 365 * 24 * time.Hour
	commandsKept  = 1000 // names; later ones are counted as OtherCommand
	longestFolded = 100  // bytes of the name of a command
)

// OtherCommand has the sums of commands of which there were too many.
const OtherCommand = "other"

// Scope is what roll-ups are of.
type Scope string

// The scopes.
const (
	OfAll     Scope = "all"     // by the minute; the name is empty
	OfJob     Scope = "job"     // by the hour
	OfCommand Scope = "command" // by the hour; names are base names
)

// step is how long the spans of the scope are, in seconds.
func (s Scope) step() int64 {
	if s == OfAll {
		return 60
	}
	return 3600
}

// rollupKey is which roll-up it is; at 0: from the beginning on.
type rollupKey struct {
	scope Scope
	at    int64
	name  string
}

// foldRow is an event with what is counted of it. What is NULL is gone.
type foldRow struct {
	eventRow
	Command    *string
	Created    *int64
	Ready      *int64
	Needed     *int64 // when the last of what it needs has ended
	UserTime   *int64 `db:"user_time"`
	SystemTime *int64 `db:"system_time"`
}

const selectToFold = `
SELECT e.id, e.at, e.kind, e.job, e.task, e.attempt, e.data, t.name AS task_name,
       coalesce(j.name, (SELECT r.data FROM event r WHERE r.job = e.job AND r.kind = 'job.removed')) AS job_name,
       t.command, t.created_at AS created, t.ready_at AS ready, a.user_time, a.system_time,
       (SELECT max(n.completed_at) FROM dependency d JOIN task n ON n.id = d.needs WHERE d.task = t.id AND n.completed_at <= e.at) AS needed
FROM event e
LEFT JOIN job j ON j.id = e.job
LEFT JOIN task t ON t.id = e.task
LEFT JOIN attempt a ON a.task = e.task AND a.number = e.attempt
WHERE e.id > ?
  AND e.kind IN ('tasks.added', 'task.started', 'task.ended', 'job.removed')
ORDER BY e.id
LIMIT ?`

// Fold counts some of the events that were not counted yet in the roll-ups, and notes in
// the same commit how far it has come: so each event counts once, whoever folds and whenever
// it is killed. It reports whether there may be more. If there is nothing to count, it
// does not write. With a schema that has no roll-ups, it does nothing.
func (d *DB) Fold(ctx context.Context) (more bool, err error) {
	if !d.hasRollups() {
		return false, nil
	}
	if lag, err := d.unfolded(ctx); err != nil || lag == 0 {
		return false, err
	}
	err = d.write(ctx, func(t *tx) error {
		f := folding{t: t, sums: map[rollupKey]*Rollup{}, gone: map[string]bool{}}
		if more, err = f.fold(); err != nil {
			return err
		}
		failpoint.Hit("fold.before_commit")
		return nil
	})
	if err == nil {
		failpoint.Hit("fold.after_commit")
	}
	return more, err
}

// hasRollups reports whether the schema has them, as hasEvents does.
func (d *DB) hasRollups() bool { return d.schema == 0 || d.schema >= 6 }

// unfolded is how many events were not counted yet.
func (d *DB) unfolded(ctx context.Context) (n int64, err error) {
	err = d.read(ctx, func(t *tx) error {
		newest, err := t.newest()
		if err != nil {
			return err
		}
		at, err := t.foldedTo()
		n = max(newest.ID-at, 0)
		return err
	})
	return n, err
}

// foldedTo is the number of the last event that was counted.
func (t *tx) foldedTo() (at int64, err error) {
	_, err = t.get(&at, `SELECT number FROM mark WHERE name = ?`, "read "+statsReader)
	return at, err
}

// folding counts events in one transaction.
type folding struct {
	t        *tx
	sums     map[rollupKey]*Rollup
	gone     map[string]bool // jobs that were removed: their totals begin anew
	commands map[string]bool // that have sums of their own
}

func (f *folding) fold() (more bool, err error) {
	at, err := f.t.foldedTo()
	if err != nil {
		return false, err
	}
	newest, err := f.t.newest()
	if err != nil {
		return false, err
	}
	var rows []foldRow
	if err := f.t.all(&rows, selectToFold, at, foldedAtOnce); err != nil {
		return false, err
	}
	var names []string
	if err := f.t.all(&names, `SELECT name FROM rollup WHERE scope = 'command' AND at = 0`); err != nil {
		return false, err
	}
	f.commands = map[string]bool{}
	for _, name := range names {
		f.commands[name] = true
	}
	for i := range rows {
		f.add(&rows[i])
	}
	if err := f.store(); err != nil {
		return false, err
	}
	to := newest.ID
	if more = len(rows) == foldedAtOnce; more {
		to = rows[len(rows)-1].ID
	}
	if to > at {
		err = f.t.mark("read "+statsReader, to)
	}
	return more, err
}

// add counts an event.
func (f *folding) add(r *foldRow) {
	e := r.event("")
	name := fromText(r.JobName)
	switch {
	case e.Type == JobRemoved:
		f.gone[name] = true
		delete(f.sums, rollupKey{OfJob, 0, name})
	case e.Type == TasksAdded:
		f.each(&e, name, "", func(s *Rollup) { s.Added += int64(e.Count) })
	case e.Type == TaskStarted:
		f.each(&e, name, f.command(r), func(s *Rollup) {
			s.Started++
			if r.Created != nil {
				s.Wait.Add(micros(r.At - r.readyAt()))
			}
		})
	case e.Type == TaskEnded && e.Attempt > 0 && e.Result != nil:
		f.each(&e, name, f.command(r), func(s *Rollup) {
			s.ended(e.Result, e.Ran.Microseconds(), orZero(r.UserTime), orZero(r.SystemTime))
		})
	}
}

// readyAt is when a task that has started at r.At could have run. What comes after that
// is about a later attempt.
func (r *foldRow) readyAt() int64 {
	at := *r.Created
	for _, later := range []*int64{r.Ready, r.Needed} {
		if later != nil && *later <= r.At {
			at = max(at, *later)
		}
	}
	return at
}

func orZero(p *int64) int64 {
	if p == nil {
		return 0
	}
	return *p
}

// each calls fn for each roll-up that an event counts in. An empty command is none.
func (f *folding) each(e *Event, job, command string, fn func(*Rollup)) {
	f.both(OfAll, e.At, "", fn)
	if job != "" {
		f.both(OfJob, e.At, job, fn)
	}
	if command != "" {
		f.both(OfCommand, e.At, command, fn)
	}
}

// both is for the span, and for the sums from the beginning on.
func (f *folding) both(scope Scope, at time.Time, name string, fn func(*Rollup)) {
	begin := max(at.Unix()-at.Unix()%scope.step(), scope.step())
	for _, key := range []rollupKey{{scope, begin, name}, {scope, 0, name}} {
		if f.sums[key] == nil {
			f.sums[key] = &Rollup{}
		}
		fn(f.sums[key])
	}
}

// command is the name under which a command is counted.
func (f *folding) command(r *foldRow) string {
	if r.Command == nil {
		return OtherCommand
	}
	name := CommandName(*r.Command)
	if !f.commands[name] && len(f.commands) >= commandsKept {
		return OtherCommand
	}
	f.commands[name] = true
	return name
}

// CommandName is the name by which commands are counted: the last part of their path.
func CommandName(command string) string {
	name := filepath.Base(command)
	if len(name) > longestFolded {
		name = name[:longestFolded]
	}
	return strings.ToValidUTF8(name, "")
}

// store adds what was counted to what is stored, and deletes one span of each scope that
// is too old.
func (f *folding) store() error {
	for _, name := range slices.Sorted(maps.Keys(f.gone)) {
		if _, err := f.t.exec(`DELETE FROM rollup WHERE scope = 'job' AND at = 0 AND name = ?`, name); err != nil {
			return err
		}
	}
	keys := slices.SortedFunc(maps.Keys(f.sums), func(a, b rollupKey) int {
		return cmp.Or(cmp.Compare(a.scope, b.scope), cmp.Compare(a.at, b.at), cmp.Compare(a.name, b.name))
	})
	for _, k := range keys {
		if err := f.t.addRollup(k, f.sums[k]); err != nil {
			return err
		}
	}
	for _, scope := range []Scope{OfAll, OfJob, OfCommand} {
		kept := hoursKept
		if scope == OfAll {
			kept = minutesKept
		}
		_, err := f.t.exec(`
DELETE FROM rollup
WHERE scope = ?
  AND at = (SELECT min(o.at) FROM rollup o WHERE o.scope = ? AND o.at > 0 AND o.at < ?)`,
			scope, scope, time.UnixMicro(f.t.now).Add(-kept).Unix())
		if err != nil {
			return err
		}
	}
	return nil
}

// addRollup adds sums to those that are stored.
func (t *tx) addRollup(k rollupKey, sums *Rollup) error {
	var stored []byte
	_, err := t.get(&stored, `SELECT sums FROM rollup WHERE scope = ? AND at = ? AND name = ?`, k.scope, k.at, k.name)
	if err != nil {
		return err
	}
	if err := sums.addEncoded(stored); err != nil {
		return err
	}
	_, err = t.exec(`
INSERT INTO rollup (scope, at, name, sums)
VALUES (?, ?, ?, ?)
ON CONFLICT (scope, at, name) DO UPDATE SET sums = excluded.sums`, k.scope, k.at, k.name, sums.encode())
	return err
}
