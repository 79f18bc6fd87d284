package db

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Cursor is a place in the events of a database: behind one of them. Callers keep it as
// it is. The empty one is before the first event that is kept.
//
// It is epoch.number.check. The epoch is drawn with the database. The check is the time
// of the event with that number: in a copy of the database that was restored, later
// events get the numbers again that others had before.
type Cursor string

func newCursor(epoch string, id, at int64) Cursor {
	return Cursor(epoch + "." + strconv.FormatInt(id, 10) + "." + strconv.FormatInt(at, 36))
}

// Before reports whether a cursor is before another one of the same database.
func (c Cursor) Before(other Cursor) bool { return c.number() < other.number() }

func (c Cursor) number() int64 {
	words := strings.Split(string(c), ".")
	if len(words) != 3 {
		return 0
	}
	n, _ := strconv.ParseInt(words[1], 10, 64)
	return n
}

// ErrCursor is about a cursor from which events cannot be read: it is not one, it is of
// another database, or events after it were deleted already.
var ErrCursor = errors.New("no events can be read from this cursor")

// CursorError is an [ErrCursor]. Whoever gets it reads everything anew.
type CursorError struct {
	Cursor Cursor
	Why    string
	Oldest Cursor // that of the oldest event that is kept; empty: none is
	Gone   bool   // it is a cursor, but too old or of another database
}

// Error says what is wrong with the cursor.
func (e *CursorError) Error() string {
	return fmt.Sprintf("%v: %q %s", ErrCursor, string(e.Cursor), e.Why)
}

// Unwrap returns ErrCursor.
func (e *CursorError) Unwrap() error { return ErrCursor }

// EventQuery says which events are wanted. The zero value is all.
type EventQuery struct {
	Jobs  []string // only about these jobs; none: about any, or none
	Types []string // only of these types, or of those that begin so, as in "task."
	Limit int      // at most; 0: no more than what one call looks at
}

// Wants reports whether an event is wanted, whatever the limit.
func (q *EventQuery) Wants(e *Event) bool {
	if len(q.Jobs) > 0 && !slices.Contains(q.Jobs, e.Job) {
		return false
	}
	return len(q.Types) == 0 || slices.ContainsFunc(q.Types, func(t string) bool {
		return t == e.Type || strings.HasSuffix(t, ".") && strings.HasPrefix(e.Type, t)
	})
}

// UnknownType returns one of the wanted types that no event has, or "".
func (q *EventQuery) UnknownType() string {
	for _, t := range q.Types {
		one := EventQuery{Types: []string{t}}
		if !slices.ContainsFunc(EventTypes, func(known string) bool { return one.Wants(&Event{Type: known}) }) {
			return t
		}
	}
	return ""
}

// EventPage is what a call of Events has found.
type EventPage struct {
	Events []Event
	// Cursor is behind the last event that was looked at, wanted or not. The next call
	// goes on there.
	Cursor Cursor
	More   bool // there are events behind it that were not looked at
}

// How many events are read in one transaction, and looked at in one call.
const (
	eventsAtOnce = 1000
	eventsLooked = 20_000
)

// Events returns events behind a cursor, oldest first. It looks at 20,000 at most,
// and reads them some at a time. Errors: [*CursorError], [ErrOlder].
func (d *DB) Events(ctx context.Context, after Cursor, q EventQuery) (EventPage, error) {
	out := EventPage{Cursor: after, More: true}
	for looked := 0; out.More && looked < eventsLooked && (q.Limit == 0 || len(out.Events) < q.Limit); {
		found, err := d.eventsAfter(ctx, &out.Cursor)
		if err != nil {
			return EventPage{}, err
		}
		looked += len(found)
		out.More = len(found) == eventsAtOnce
		for i := range found {
			if !q.Wants(&found[i]) {
				continue
			}
			if q.Limit > 0 && len(out.Events) == q.Limit {
				out.More = true
				out.Cursor = out.Events[q.Limit-1].Cursor
				return out, nil
			}
			out.Events = append(out.Events, found[i])
		}
	}
	return out, nil
}

// CheckCursor reports whether events can be read from a cursor. Errors: those of Events.
func (d *DB) CheckCursor(ctx context.Context, c Cursor) error {
	return d.read(ctx, func(t *tx) error {
		_, _, err := t.locate(c)
		return err
	})
}

// eventsAfter reads the next events, and moves the cursor behind them.
func (d *DB) eventsAfter(ctx context.Context, at *Cursor) ([]Event, error) {
	var out []Event
	err := d.read(ctx, func(t *tx) error {
		out = nil
		epoch, last, err := t.locate(*at)
		if err != nil {
			return err
		}
		var rows []eventRow
		if err := t.all(&rows, selectEvents, last.ID, eventsAtOnce); err != nil {
			return err
		}
		for i := range rows {
			out = append(out, rows[i].event(epoch))
		}
		if len(out) > 0 {
			*at = out[len(out)-1].Cursor
		} else {
			*at = newCursor(epoch, last.ID, last.At)
		}
		return nil
	})
	return out, err
}

const selectEvents = `
SELECT e.id, e.at, e.kind, e.job, e.task, e.attempt, e.data, t.name AS task_name,
       coalesce(j.name, (SELECT r.data FROM event r WHERE r.job = e.job AND r.kind = 'job.removed')) AS job_name
FROM event e
LEFT JOIN job j ON j.id = e.job
LEFT JOIN task t ON t.id = e.task
WHERE e.id > ?
ORDER BY e.id
LIMIT ?`

// place is where an event is.
type place struct{ ID, At int64 }

// locate finds out where a cursor is, and whether events can be read from there.
func (t *tx) locate(c Cursor) (epoch string, at place, err error) {
	if epoch, err = t.epoch(); err != nil {
		return "", at, err
	}
	var oldest place
	any, err := t.get(&oldest, `SELECT id, at FROM event ORDER BY id LIMIT 1`)
	if err != nil {
		return "", at, err
	}
	if c == "" {
		if any {
			at.ID = oldest.ID - 1
		}
		return epoch, at, nil
	}
	wrong := &CursorError{Cursor: c}
	if any {
		wrong.Oldest = newCursor(epoch, oldest.ID, oldest.At)
	}
	words := strings.Split(string(c), ".")
	if len(words) == 3 {
		at.ID, err = strconv.ParseInt(words[1], 10, 64)
	}
	if len(words) != 3 || err != nil || at.ID < 0 {
		wrong.Why = "is not a cursor"
		return "", at, wrong
	}
	wrong.Gone = true
	if words[0] != epoch {
		wrong.Why = "is of another database"
		return "", at, wrong
	}
	if at.ID == 0 && (!any || oldest.ID == 1) && words[2] == "0" {
		return epoch, at, nil
	}
	found, err := t.get(&at.At, `SELECT at FROM event WHERE id = ?`, at.ID)
	switch {
	case err != nil:
		return "", at, err
	case !found && any && at.ID < oldest.ID:
		wrong.Why = "is too old: events after it were deleted"
	case !found || strconv.FormatInt(at.At, 36) != words[2]:
		wrong.Why = "is of another copy of this database"
	default:
		return epoch, at, nil
	}
	return "", at, wrong
}

// epoch is drawn when the table of events is made.
func (t *tx) epoch() (epoch string, err error) {
	_, err = t.get(&epoch, `SELECT value FROM setting WHERE key = 'epoch'`)
	return epoch, err
}

// newest is the place of the newest event.
func (t *tx) newest() (p place, err error) {
	_, err = t.get(&p, `SELECT id, at FROM event ORDER BY id DESC LIMIT 1`)
	return p, err
}

// AsOf calls fn with the database as it is at one instant: all that fn reads through the
// DB that it gets is of one transaction. It returns the cursor of that instant: the
// events behind it say what has changed since. fn may be called again if the database
// is busy. It must not write, nor wait for anybody: while it reads, the log of the
// database can only grow. Errors: those of fn, [ErrOlder].
func (d *DB) AsOf(ctx context.Context, fn func(*DB) error) (Cursor, error) {
	var out Cursor
	err := d.read(ctx, func(t *tx) error {
		var err error
		if out, err = t.asOf(); err != nil {
			return err
		}
		if fn == nil {
			return nil
		}
		then := *d
		then.within = t
		return fn(&then)
	})
	if err != nil {
		return "", err
	}
	return out, nil
}

// PruneEvents deletes the oldest events, at most so many in one commit: those from
// before a time, and those that are more than are kept. The newest stays, and so does
// what a reader has not seen, see [DB.SetReader]. It returns how many it has deleted: if that is most,
// there may be more to delete.
func (d *DB) PruneEvents(ctx context.Context, before time.Time, keep int64, most int) (int, error) {
	var n int64
	err := d.write(ctx, func(t *tx) error {
		n = 0
		newest, err := t.newest()
		if err != nil {
			return err
		}
		bound := newest.ID - 1
		if _, err := t.get(&bound, `SELECT coalesce(min(number) - 1, ?) FROM mark WHERE name LIKE 'read %'`, bound); err != nil {
			return err
		}
		var oldest []place
		err = t.all(&oldest, `SELECT id, at FROM event WHERE id <= ? ORDER BY id LIMIT ?`, min(bound, newest.ID-1), most)
		if err != nil {
			return err
		}
		last := int64(0)
		for _, e := range oldest {
			if e.ID > newest.ID-keep && e.At >= before.UnixMicro() {
				break
			}
			last = e.ID
		}
		if last > 0 {
			n, err = t.exec(`DELETE FROM event WHERE id <= ?`, last)
		}
		return err
	})
	return int(n), err
}

// SetReader notes that a reader has come to a cursor. It must see all events: those behind
// it are not deleted until it has. Errors: [*CursorError], [ErrOlder].
func (d *DB) SetReader(ctx context.Context, name string, at Cursor) error {
	return d.setPlace(ctx, "read "+name, at)
}

// SetPlace notes that a reader has come to a cursor, as [DB.SetReader] does. But events behind
// it are deleted when their time is over: it may miss some. Errors: [*CursorError], [ErrOlder].
func (d *DB) SetPlace(ctx context.Context, name string, at Cursor) error {
	return d.setPlace(ctx, "at "+name, at)
}

func (d *DB) setPlace(ctx context.Context, mark string, at Cursor) error {
	return d.write(ctx, func(t *tx) error {
		_, p, err := t.locate(at)
		if err == nil {
			err = t.mark(mark, p.ID)
		}
		return err
	})
}

// Reader returns how far a reader has come, as noted by [DB.SetReader]; empty: it is not known.
func (d *DB) Reader(ctx context.Context, name string) (Cursor, error) {
	return d.place(ctx, "read "+name)
}

// Place returns how far a reader has come, as noted by [DB.SetPlace]; empty: it is not known.
func (d *DB) Place(ctx context.Context, name string) (Cursor, error) {
	return d.place(ctx, "at "+name)
}

func (d *DB) place(ctx context.Context, mark string) (Cursor, error) {
	var out Cursor
	err := d.read(ctx, func(t *tx) error {
		out = ""
		epoch, err := t.epoch()
		if err != nil {
			return err
		}
		var p place
		found, err := t.get(&p, `
SELECT m.number AS id, coalesce(e.at, 0) AS at
FROM mark m
LEFT JOIN event e ON e.id = m.number
WHERE m.name = ?`, mark)
		if err == nil && found {
			out = newCursor(epoch, p.ID, p.At)
		}
		return err
	})
	return out, err
}

// RemoveReader forgets a reader: events need not be kept for it any more.
func (d *DB) RemoveReader(ctx context.Context, name string) error {
	return d.write(ctx, func(t *tx) error {
		_, err := t.exec(`DELETE FROM mark WHERE name = ?`, "read "+name)
		return err
	})
}

// mark stores a number.
func (t *tx) mark(name string, n int64) error {
	_, err := t.exec(`
INSERT INTO mark (name, number)
VALUES (?, ?)
ON CONFLICT (name) DO UPDATE SET number = excluded.number`, name, n)
	return err
}
