package api

import (
	"fmt"

	"github.com/air-executor/air-executor/job"
	"github.com/air-executor/air-executor/queue"
)

// Forms of package queue.
type (
	Pool        = queue.PoolForm
	PoolPlace   = queue.PlaceForm
	PoolChanged = queue.PoolResult
)

// PoolSize is how many places a pool is to have.
type PoolSize struct {
	Capacity *int `json:"capacity"`
}

func listPools(c *call) (answer, error) { return ok(c.api.queue.Pools(c.Context())) }

func setPool(c *call) (answer, error) {
	var p SetPoolParams
	var body PoolSize
	if err := c.parameters(&p); err != nil {
		return answer{}, err
	}
	if err := c.read(&body); err != nil {
		return answer{}, err
	}
	name := c.PathValue("pool")
	if err := job.CheckPool(name); err != nil {
		return answer{}, wrongBody(Fault{Message: err.Error()})
	}
	switch {
	case body.Capacity == nil:
		return answer{}, wrongBody(Fault{Pointer: "/capacity", Message: "is missing"})
	case *body.Capacity < 0 || *body.Capacity > job.MaxPlaces:
		return answer{}, wrongBody(Fault{Pointer: "/capacity", Message: fmt.Sprintf("a pool has 0 to %d places, got %d", job.MaxPlaces, *body.Capacity)})
	}
	return ok(c.api.queue.SetPool(c.Context(), name, *body.Capacity, or(p.Force, false)))
}

func removePool(c *call) (answer, error) {
	var p RemovePoolParams
	if err := c.parameters(&p); err != nil {
		return answer{}, err
	}
	return ok(c.api.queue.RemovePool(c.Context(), c.PathValue("pool"), or(p.Force, false)))
}
