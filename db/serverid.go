package db

import (
	"context"
	"strings"

	"github.com/google/uuid"
)

// ServerID returns an id of this database that it keeps as long as it exists. It is made at the
// first call.
func (d *DB) ServerID(ctx context.Context) (string, error) {
	var id string
	find := func(t *tx) (bool, error) {
		return t.get(&id, `SELECT value FROM setting WHERE key = 'server'`)
	}
	err := d.read(ctx, func(t *tx) error {
		_, err := find(t)
		return err
	})
	if err != nil || id != "" {
		return id, err
	}
	err = d.write(ctx, func(t *tx) error {
		if there, err := find(t); err != nil || there {
			return err
		}
		id = strings.ReplaceAll(uuid.NewString(), "-", "")[:16]
		_, err := t.exec(`INSERT INTO setting (key, value) VALUES ('server', ?)`, id)
		return err
	})
	return id, err
}
