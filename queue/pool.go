package queue

import (
	"context"

	"github.com/air-executor/air-executor/db"
)

// PoolForm is the form of a pool.
type PoolForm struct {
	Pool     string      `json:"pool"`
	Capacity int         `json:"capacity"`
	Taken    []PlaceForm `json:"taken"`
	Waiting  int         `json:"waiting"` // pending tasks that need it
}

// PlaceForm is the form of a place of a pool that a task holds.
type PlaceForm struct {
	Place   int    `json:"place"`
	Job     string `json:"job"`
	Task    string `json:"task"`
	Attempt int    `json:"attempt"`
}

// Pools returns the pools, by name.
func (q *Queue) Pools(ctx context.Context) ([]PoolForm, error) {
	pools, err := q.DB.Pools(ctx, true)
	out := make([]PoolForm, len(pools))
	for i, p := range pools {
		out[i] = PoolForm{Pool: p.Name, Capacity: p.Capacity, Taken: []PlaceForm{}, Waiting: p.Waiting}
		for _, place := range p.Taken {
			out[i].Taken = append(out[i].Taken, PlaceForm{place.Number, place.Job, place.Task, place.Attempt})
		}
	}
	return out, err
}

// PoolResult says what was done with a pool.
type PoolResult struct {
	Pool     string `json:"pool"`
	Capacity *int   `json:"capacity"` // null: there is no such pool now
	Before   *int   `json:"before"`   // its capacity before; null: there was none
	Stranded int    `json:"stranded"` // pending tasks that cannot run with so few places
}

// SetPool makes a pool or changes its capacity. The errors are those of DB.SetPool.
func (q *Queue) SetPool(ctx context.Context, name string, capacity int, force bool) (PoolResult, error) {
	before, stranded, err := q.DB.SetPool(ctx, name, capacity, force)
	r := PoolResult{Pool: name, Capacity: &capacity, Stranded: stranded}
	if before >= 0 {
		r.Before = &before
	}
	return r, err
}

// RemovePool deletes a pool. The errors are those of DB.RemovePool.
func (q *Queue) RemovePool(ctx context.Context, name string, force bool) (PoolResult, error) {
	stranded, err := q.DB.RemovePool(ctx, name, force)
	return PoolResult{Pool: name, Stranded: stranded}, err
}

// Short is a pool of which a task cannot have the places that it needs.
type Short struct {
	Places int // that it needs
	Pool   db.Pool
}

// Short says which pool keeps a task from starting; nil: none does.
func (s *Status) Short(l db.Listed) *Short {
	if len(l.Pools) == 0 {
		return nil
	}
	need, pool, err := db.Short(s.Pools, l.Pools)
	if err != nil || pool == nil {
		return nil
	}
	return &Short{Places: need.Count, Pool: *pool}
}
