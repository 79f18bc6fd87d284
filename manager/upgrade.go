package manager

import (
	"context"

	"github.com/air-executor/air-executor/config"
	"github.com/air-executor/air-executor/db"
)

// Upgrade migrates an older database while no manager serves it, and returns what
// it did; nil if there was nothing to do. A manager of the older program would go
// on, but no command of that program could reach it any more. So while one serves,
// Upgrade returns ErrRunning.
func Upgrade(ctx context.Context, conf *config.Config) (*db.Upgraded, error) {
	m := &Manager{config: conf}
	if err := m.takeLock(ctx, conf.BasePath); err != nil {
		return nil, err
	}
	defer m.lock.Close()
	d, err := db.Open(ctx, conf.BasePath, db.Options{
		Durability: conf.Durability, MustExist: true, Upgrade: true, AllowForeign: conf.AllowForeign,
	})
	if err != nil {
		return nil, err
	}
	return d.Upgraded(), d.Close()
}

// openDB opens the database, and upgrades it if it is an older one. A manager
// that does not serve the base path leaves it alone while another one does.
func (m *Manager) openDB(ctx context.Context) error {
	options := db.Options{Durability: m.config.Durability, Upgrade: m.lock != nil, Beside: true, AllowForeign: m.config.AllowForeign}
	var err error
	if m.db, err = db.Open(ctx, m.config.BasePath, options); err != nil {
		return err
	}
	done := m.db.Upgraded()
	if m.db.Outdated() {
		m.db.Close()
		if done, err = Upgrade(ctx, m.config); err != nil {
			return err
		}
		if m.db, err = db.Open(ctx, m.config.BasePath, options); err != nil {
			return err
		}
	}
	if done != nil {
		m.log.Info("database upgraded", "from", done.From, "to", done.To, "copy", done.Copy)
	}
	return nil
}
