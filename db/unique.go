package db

import (
	"time"

	"github.com/air-executor/air-executor/job"
)

// keyHolder is the task that has a unique key.
type keyHolder struct {
	ID        int64
	Name      string
	Status    job.Status
	Attempts  int
	UniqueFor int64 `db:"unique_for"`
	CreatedAt int64 `db:"created_at"`
}

// holds reports whether the key keeps others out. A task does not give its key back:
// whether it still counts is asked when another one wants it, so that the end of a
// task has nothing to do with it.
func (h *keyHolder) holds(now int64) bool {
	switch u := job.UniqueFor(h.UniqueFor); u {
	case job.UniqueWhileUnfinished:
		return !h.Status.Ended()
	case job.UniqueWhilePending:
		return h.Status == job.Pending && h.Attempts == 0
	default:
		return now < h.CreatedAt+h.UniqueFor
	}
}

// holder returns the id of the task that keeps others with this key out of the job;
// nothing if none does: then the key is free.
func (a *adder) holder(key string) (id string, err error) {
	if key == "" {
		return "", nil
	}
	var h keyHolder
	ok, err := a.t.get(&h, `
SELECT id, name, status, attempts, unique_for, created_at
FROM task
WHERE job = ?
  AND unique_key = ?`, a.job.ID, key)
	if err != nil || !ok {
		return "", err
	}
	if h.holds(a.t.now) {
		return h.Name, nil
	}
	_, err = a.t.exec(`UPDATE task SET unique_key = NULL, unique_for = NULL WHERE id = ?`, h.ID)
	return "", err
}

// attach stores what few tasks have, beside the row of a new one.
func (a *adder) attach(id int64, s *job.Spec) error {
	if err := a.t.label(a.job.ID, id, s.Labels); err != nil || s.Unique == "" {
		return err
	}
	_, err := a.t.exec(`
UPDATE task
SET unique_key = ?,
    unique_for = ?
WHERE id = ?
  AND NOT EXISTS (SELECT 1 FROM task o WHERE o.job = ? AND o.unique_key = ?)`,
		s.Unique, uniqueFor(s.UniqueFor), id, a.job.ID, s.Unique)
	return err
}

// uniqueFor is how long a key is kept, as it is stored.
func uniqueFor(u job.UniqueFor) int64 {
	if u <= 0 {
		return int64(u)
	}
	return time.Duration(u).Microseconds()
}

func fromUniqueFor(n *int64) job.UniqueFor {
	switch {
	case n == nil:
		return 0
	case *n <= 0:
		return job.UniqueFor(*n)
	}
	return job.UniqueFor(time.Duration(*n) * time.Microsecond)
}
