package db

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// AnswersKept is how long what was done once is not done again.
const AnswersKept = 7 * 24 * time.Hour

// ErrKeyReused is the error about a key that belongs to something else.
var ErrKeyReused = errors.New("the key was used for something else")

// Once makes a change happen once, however often it is asked for: its answer is stored
// in the transaction that makes the change, under a key that the caller has chosen.
type Once struct {
	Key    string // empty: it is done each time, and nothing is stored
	Digest string // of what is asked for
	// Answer returns what is to be stored for the result of the change. It is called
	// inside of the transaction, and must not read the database.
	Answer func(result any) ([]byte, error)
}

// Answered is the error of a change that was made before.
type Answered struct{ Body []byte }

// Error says so.
func (*Answered) Error() string { return "this was done before" }

type onceKey struct{}

// WithOnce makes the next change with this context happen once. Changes that add say
// what they have added: Enqueue and Rerun an Added, AddSchedule a Schedule, Fire a
// Fired. Errors: *Answered if it was made before, ErrKeyReused.
func WithOnce(ctx context.Context, o Once) context.Context {
	return context.WithValue(ctx, onceKey{}, &o)
}

// once is fn, or fn unless it was done before.
func once(ctx context.Context, fn func(*tx) error) func(*tx) error {
	o, _ := ctx.Value(onceKey{}).(*Once)
	if o == nil {
		return fn
	}
	return func(t *tx) error {
		if o.Key == "" {
			return t.answer(o, fn)
		}
		if err := t.takeKey(o); err != nil {
			return err
		}
		if err := fn(t); err != nil {
			return err
		}
		if t.added == nil { // a change beside the one that is meant
			_, err := t.exec(`DELETE FROM answer WHERE key = ?`, o.Key)
			return err
		}
		body, err := o.Answer(t.added)
		if err == nil {
			_, err = t.exec(`UPDATE answer SET body = ? WHERE key = ?`, body, o.Key)
		}
		return err
	}
}

// answer makes the answer to what is done each time.
func (t *tx) answer(o *Once, fn func(*tx) error) error {
	err := fn(t)
	if err == nil && t.added != nil {
		_, err = o.Answer(t.added)
	}
	return err
}

// takeKey stores a key, or fails with what is stored for it. Of two at once, the second
// waits here for the first. Old answers are deleted, some at a time.
func (t *tx) takeKey(o *Once) error {
	old := t.now - AnswersKept.Microseconds()
	if _, err := t.exec(`DELETE FROM answer WHERE key IN (SELECT key FROM answer WHERE at < ? ORDER BY at LIMIT 100)`, old); err != nil {
		return err
	}
	if _, err := t.exec(`DELETE FROM answer WHERE key = ? AND at < ?`, o.Key, old); err != nil {
		return err
	}
	n, err := t.exec(`
INSERT INTO answer (key, digest, at, body)
VALUES (?, ?, ?, ?)
ON CONFLICT (key) DO NOTHING`, o.Key, o.Digest, t.now, []byte{})
	if err != nil || n == 1 {
		return err
	}
	var was struct {
		Digest string
		Body   []byte
	}
	if _, err := t.get(&was, `SELECT digest, body FROM answer WHERE key = ?`, o.Key); err != nil {
		return err
	}
	if was.Digest != o.Digest {
		return fmt.Errorf("%w: %q", ErrKeyReused, o.Key)
	}
	return &Answered{was.Body}
}
