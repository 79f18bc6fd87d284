package db

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/air-executor/air-executor/job"
)

// ErrNoPool is the error about a pool that is not there.
var ErrNoPool = errors.New("no such pool")

// Pool is a number of places that running tasks share out among themselves.
type Pool struct {
	Name     string
	Capacity int     // places that it has
	Taken    []Place // by number
	Waiting  int     // pending tasks that need it, if they were counted
}

// Place is a place of a pool that a running attempt holds.
type Place struct {
	Number  int
	Job     string
	Task    string
	Attempt int
}

// PoolNeeded is the error about a change of a pool after which pending tasks could
// never run.
type PoolNeeded struct {
	Pool     string
	Capacity int // that it was to have
	Tasks    int // pending tasks that need more
}

// Error says how many tasks would wait for ever.
func (e *PoolNeeded) Error() string {
	if e.Tasks == 1 {
		return fmt.Sprintf("1 pending task needs more than %d places in pool %s", e.Capacity, e.Pool)
	}
	return fmt.Sprintf("%d pending tasks need more than %d places in pool %s", e.Tasks, e.Capacity, e.Pool)
}

// Pools returns the pools by name, with what holds their places, and counts who waits
// if that is wanted, for which it reads every task of the jobs that use pools.
func (d *DB) Pools(ctx context.Context, count bool) ([]Pool, error) {
	var out []Pool
	err := d.read(ctx, func(t *tx) error {
		out = nil
		if err := t.all(&out, `SELECT name, capacity FROM pool ORDER BY name`); err != nil || len(out) == 0 {
			return err
		}
		taken, err := t.takenPlaces()
		if err != nil {
			return err
		}
		var needed map[job.Places]int
		if count {
			needed, err = t.neededPools()
		}
		for i := range out {
			p := &out[i]
			p.Taken = taken[p.Name]
			for need, tasks := range needed {
				if need.Pool == p.Name {
					p.Waiting += tasks
				}
			}
		}
		return err
	})
	return out, err
}

// takenPlaces reads who holds which places, by pool.
func (t *tx) takenPlaces() (map[string][]Place, error) {
	var rows []struct {
		Pool      string
		Number    int
		Job, Task string
		Attempt   int
	}
	err := t.all(&rows, `
SELECT p.pool, p.number, j.name AS job, t.name AS task, a.number AS attempt
FROM pool_place p
JOIN attempt a ON a.id = p.attempt
JOIN task t ON t.id = a.task
JOIN job j ON j.id = a.job
ORDER BY p.pool, p.number`)
	out := map[string][]Place{}
	for _, r := range rows {
		out[r.Pool] = append(out[r.Pool], Place{r.Number, r.Job, r.Task, r.Attempt})
	}
	return out, err
}

// neededPools counts the pending tasks by what they need of each pool. Only jobs that
// have had such tasks are looked at.
func (t *tx) neededPools() (map[job.Places]int, error) {
	var rows []struct {
		Pools string
		Tasks int
	}
	err := t.all(&rows, `
SELECT t.pools, COUNT(*) AS tasks
FROM job j
CROSS JOIN task t
WHERE j.pooled = 1
  AND j.pending > 0
  AND t.job = j.id
  AND t.status = 'pending'
  AND t.pools IS NOT NULL
GROUP BY t.pools`)
	out := map[job.Places]int{}
	for _, r := range rows {
		needs, unreadable := placesOf(r.Pools)
		if unreadable != nil {
			return nil, unreadable
		}
		for _, p := range needs {
			out[p] += r.Tasks
		}
	}
	return out, err
}

// SetPool makes a pool, or gives it another capacity. Attempts that hold more places
// than it has then keep them. Unless force is set, it returns *PoolNeeded if pending
// tasks could never run afterwards, and changes nothing. It returns how many such
// tasks there are, and the capacity before; -1: the pool is new.
func (d *DB) SetPool(ctx context.Context, name string, capacity int, force bool) (before, stranded int, err error) {
	if err := job.CheckPool(name); err != nil {
		return 0, 0, err
	}
	if capacity < 0 || capacity > job.MaxPlaces {
		return 0, 0, fmt.Errorf("a pool has 0 to %d places, got %d", job.MaxPlaces, capacity)
	}
	err = d.write(ctx, func(t *tx) error {
		before = -1
		if _, err := t.get(&before, `SELECT capacity FROM pool WHERE name = ?`+t.d.dialect.lockRow, name); err != nil {
			return err
		}
		if stranded, err = t.stranded(name, capacity); err != nil {
			return err
		}
		if stranded > 0 && capacity < before && !force {
			return &PoolNeeded{name, capacity, stranded}
		}
		_, err := t.exec(`
INSERT INTO pool (name, capacity)
VALUES (?, ?)
ON CONFLICT (name) DO UPDATE SET capacity = excluded.capacity`, name, capacity)
		if err == nil && before != capacity {
			err = t.event(PoolChanged, 0, 0, 0, name)
		}
		return err
	})
	return before, stranded, d.wakeAfter(err)
}

// RemovePool deletes a pool. Attempts that hold places of it go on. Unless force is
// set, it returns *PoolNeeded if pending tasks need it, and changes nothing; with it,
// they wait until there is such a pool again. It returns how many they are. Errors:
// ErrNoPool.
func (d *DB) RemovePool(ctx context.Context, name string, force bool) (stranded int, err error) {
	err = d.write(ctx, func(t *tx) error {
		if stranded, err = t.stranded(name, 0); err != nil {
			return err
		}
		n, err := t.exec(`DELETE FROM pool WHERE name = ?`, name)
		switch {
		case err != nil:
			return err
		case n == 0:
			return fmt.Errorf("%w: %s", ErrNoPool, name)
		case stranded > 0 && !force:
			return &PoolNeeded{name, 0, stranded}
		}
		return t.event(PoolChanged, 0, 0, 0, name)
	})
	return stranded, err
}

// stranded counts the pending tasks that need more than so many places of a pool.
func (t *tx) stranded(pool string, capacity int) (tasks int, err error) {
	needed, err := t.neededPools()
	for need, n := range needed {
		if need.Pool == pool && need.Count > capacity {
			tasks += n
		}
	}
	return tasks, err
}

// Short says which pool keeps a task from starting, as one of these pools is: the
// first of which it cannot have what it needs. It returns nil if it can have all.
func Short(pools []Pool, needs []string) (need job.Places, short *Pool, err error) {
	for _, s := range needs {
		if need, err = job.ParsePlaces(s); err != nil {
			return need, nil, err
		}
		i := slices.IndexFunc(pools, func(p Pool) bool { return p.Name == need.Pool })
		if i < 0 {
			return need, &Pool{Name: need.Pool}, nil
		}
		if p := &pools[i]; p.Capacity-len(p.Taken) < need.Count {
			return need, p, nil
		}
	}
	return need, nil, nil
}
