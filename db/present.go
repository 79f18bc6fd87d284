package db

import (
	"fmt"

	"github.com/air-executor/air-executor/job"
)

// Definition is a task that was skipped because it existed already.
type Definition struct {
	Before job.Spec // as stored, including its environment
	After  job.Spec // as in the batch
}

// definition reads the stored definition of a task of the job.
func (a *adder) definition(id string) (job.Spec, error) {
	var s *job.Spec
	err := a.t.eachTask(func(t job.Task) error {
		s = &t.Spec
		return nil
	}, a.t.d.taskColumns()+`
WHERE t.job = ?
  AND t.name = ?
ORDER BY t.id, d.position`, a.job.ID, id)
	if err != nil {
		return job.Spec{}, err
	}
	if s == nil {
		return job.Spec{}, fmt.Errorf("read task %q again: %w", id, ErrNoTask)
	}
	var row struct{ Content []byte }
	found, err := a.t.get(&row, `
SELECT e.content
FROM task t
JOIN environment e ON e.id = t.environment
WHERE t.job = ?
  AND t.name = ?`, a.job.ID, id)
	if err == nil && found {
		s.Env = decodeEnv(row.Content)
	}
	return *s, err
}

// passedOver records how a skipped task differs, by the Compare of the batch.
func (a *adder) passedOver(b Batch, spec job.Spec, out *Added) error {
	if b.Compare == nil {
		return nil
	}
	before, err := a.definition(spec.ID)
	if err != nil {
		return err
	}
	for _, what := range b.Compare(Definition{before, spec}) {
		out.Differ = append(out.Differ, Difference{spec.ID, what})
	}
	return nil
}
