package db

import "context"

// RemoveUnusedEnvironments checks up to limit environments, starting where the previous
// call on this DB stopped, and removes those that no task uses. It returns how many it
// removed. Repeated calls cover all of them.
func (d *DB) RemoveUnusedEnvironments(ctx context.Context, limit int) (removed int64, err error) {
	var seen []struct {
		ID     int64
		Unused bool
	}
	// Reading takes no lock. Most of the time there is nothing to remove.
	err = d.read(ctx, func(t *tx) error {
		return t.all(&seen, `
SELECT e.id, NOT EXISTS (SELECT 1 FROM task t WHERE t.environment = e.id)
       AND NOT EXISTS (SELECT 1 FROM schedule s WHERE s.environment = e.id) AS unused
FROM environment e
WHERE e.id > ?
ORDER BY e.id
LIMIT ?`, d.environments, limit)
	})
	if err != nil {
		return 0, err
	}
	d.environments = 0
	if len(seen) == limit {
		d.environments = seen[limit-1].ID
	}
	var unused []int64
	for _, e := range seen {
		if e.Unused {
			unused = append(unused, e.ID)
		}
	}
	if len(unused) == 0 {
		return 0, nil
	}
	err = d.write(ctx, func(t *tx) error {
		var err error
		removed, err = t.forgetEnvironments(unused) // tasks may have been queued with some of them since
		return err
	})
	return removed, err
}

// forgetEnvironments deletes those of these environments that no task uses, because
// they may hold secrets. It returns how many it deleted.
func (t *tx) forgetEnvironments(ids []int64) (removed int64, err error) {
	for _, id := range ids {
		n, err := t.exec(`
DELETE FROM environment
WHERE id = ?
  AND NOT EXISTS (SELECT 1 FROM task t WHERE t.environment = environment.id)
  AND NOT EXISTS (SELECT 1 FROM schedule s WHERE s.environment = environment.id)`, id)
		if err != nil {
			return removed, err
		}
		removed += n
	}
	return removed, nil
}

// environmentOf reads an environment, unless it is among those that were read before.
func (t *tx) environmentOf(id int64, read map[int64][]string) ([]string, error) {
	if env, ok := read[id]; ok {
		return env, nil
	}
	var content []byte
	if _, err := t.get(&content, `SELECT content FROM environment WHERE id = ?`, id); err != nil {
		return nil, err
	}
	read[id] = decodeEnv(content)
	return read[id], nil
}
