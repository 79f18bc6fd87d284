package manager

import "context"

// tidy deletes a few of the environments that no task uses any more, if there is
// nothing else to do.
func (m *Manager) tidy(ctx context.Context) {
	const few = 100
	if m.pool.busy()+m.adopted > 0 || m.onlyJob != "" || m.trouble[noRoom] != "" {
		return
	}
	removed, err := m.db.RemoveUnusedEnvironments(ctx, few)
	switch {
	case err != nil:
		m.log.Error("cannot remove unused environments", "error", err)
	case removed > 0:
		m.log.Info("unused environments removed", "environments", removed)
	}
}
