package db

import (
	"fmt"
	"slices"

	"github.com/air-executor/air-executor/job"
)

// PoolPlaces are the places of a pool that an attempt holds.
type PoolPlaces struct {
	Pool    string
	Numbers []int // from 0, ascending
}

// takePlaces takes the lowest free places that an attempt needs. There is room for
// them, or the claim is wrong: the same place cannot be stored twice.
func (t *tx) takePlaces(attempt int64, pools []string) ([]PoolPlaces, error) {
	var out []PoolPlaces
	for _, s := range pools {
		need, err := job.ParsePlaces(s)
		if err != nil {
			return nil, err
		}
		free, err := t.freePlacesOf(need.Pool)
		if err != nil {
			return nil, err
		}
		if len(free) < need.Count {
			return nil, fmt.Errorf("%w: pool %s was found free, but is not", ErrCorrupt, need.Pool)
		}
		held := PoolPlaces{need.Pool, free[:need.Count]}
		for _, n := range held.Numbers {
			if _, err := t.exec(`INSERT INTO pool_place (pool, number, attempt) VALUES (?, ?, ?)`, held.Pool, n, attempt); err != nil {
				return nil, err
			}
		}
		out = append(out, held)
	}
	return out, nil
}

// freePlacesOf returns the places of a pool that nobody holds, ascending. While more
// are taken than the pool has, as after it was made smaller, there are none.
func (t *tx) freePlacesOf(pool string) ([]int, error) {
	var capacity int
	if _, err := t.get(&capacity, `SELECT capacity FROM pool WHERE name = ?`+t.d.dialect.lockRow, pool); err != nil {
		return nil, err
	}
	var taken []int
	if err := t.all(&taken, `SELECT number FROM pool_place WHERE pool = ?`, pool); err != nil {
		return nil, err
	}
	var free []int
	for n := 0; n < capacity && len(free) < capacity-len(taken); n++ {
		if !slices.Contains(taken, n) {
			free = append(free, n)
		}
	}
	return free, nil
}

// freePlaces frees the places of the attempt with this token.
func (t *tx) freePlaces(attempt int64, token string) error {
	_, err := t.exec(`
DELETE FROM pool_place
WHERE attempt IN (SELECT id FROM attempt WHERE id = ? AND token = ?)`, attempt, token)
	return err
}

// heldPlaces reads the places that an attempt holds, by pool.
func (t *tx) heldPlaces(attempt int64) ([]PoolPlaces, error) {
	var rows []struct {
		Pool   string
		Number int
	}
	err := t.all(&rows, `SELECT pool, number FROM pool_place WHERE attempt = ? ORDER BY pool, number`, attempt)
	var out []PoolPlaces
	for _, r := range rows {
		if len(out) == 0 || out[len(out)-1].Pool != r.Pool {
			out = append(out, PoolPlaces{Pool: r.Pool})
		}
		last := &out[len(out)-1]
		last.Numbers = append(last.Numbers, r.Number)
	}
	return out, err
}

// holdForPools gives a task one blocker and one hold more if it needs places, or
// takes them off if it needs none any more.
func (t *tx) holdForPools(task int64, before, now []string) error {
	step := 0
	switch {
	case len(before) == 0 && len(now) > 0:
		step = 1
	case len(before) > 0 && len(now) == 0:
		step = -1
	default:
		return nil
	}
	_, err := t.exec(`UPDATE task SET blockers = blockers + ?, holds = holds + ? WHERE id = ?`, step, step, task)
	return err
}

// needPools checks what a task needs that is to be pending: without such places it
// would wait for ever. It marks the job as one that has such tasks.
func (t *tx) needPools(jobID int64, s *job.Spec, status job.Status) error {
	if len(s.Pools) == 0 {
		return nil
	}
	for _, text := range s.Pools {
		need, err := job.ParsePlaces(text)
		if err != nil {
			return err
		}
		var capacity int
		found, err := t.get(&capacity, `SELECT capacity FROM pool WHERE name = ?`, need.Pool)
		switch {
		case err != nil:
			return err
		case status != job.Pending: // it runs again only after a reset
		case !found:
			return &NoRoom{Task: s.ID, Need: need}
		case capacity < need.Count:
			return &NoRoom{Task: s.ID, Need: need, Capacity: capacity, Known: true}
		}
	}
	_, err := t.exec(`UPDATE job SET pooled = 1 WHERE id = ? AND pooled = 0`, jobID)
	return err
}

// NoRoom is the error about a task that no pool can ever hold.
type NoRoom struct {
	Task     string // its id, if it has one yet
	Need     job.Places
	Capacity int  // of the pool
	Known    bool // there is such a pool
}

// Error names the pool and, if it is known, the task.
func (e *NoRoom) Error() string {
	what := fmt.Sprintf("there is no pool %s", e.Need.Pool)
	if e.Known {
		what = fmt.Sprintf("pool %s has %d, not %d places", e.Need.Pool, e.Capacity, e.Need.Count)
	}
	if e.Task != "" {
		what = fmt.Sprintf("task %q: %s", e.Task, what)
	}
	return what
}
