package sqlite

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/air-executor/air-executor/db/engine"
	"github.com/air-executor/air-executor/internal/testkit"
	"github.com/air-executor/air-executor/migrations"
)

// The copy is made while there is room for it, or nothing is done.
func TestAnUpgradeLooksForRoom(t *testing.T) {
	defer func(saved func(string) (uint64, error)) { freeSpace = saved }(freeSpace)
	freeSpace = func(string) (uint64, error) { return 150_000, nil }
	base := t.TempDir()
	testkit.Gunzip(t, "../testdata/v1.db.gz", filepath.Join(base, FileName))
	next := engine.Source{Files: migrations.SQLite, Newest: migrations.Version + 1}
	_, err := Open(context.Background(), base, engine.Options{Upgrade: true, Migrations: next})
	if !errors.Is(err, engine.ErrFull) || !strings.Contains(err.Error(), "copy the database before its upgrade") {
		t.Errorf("error %v, want ErrFull and what it was for", err)
	}
	if copies, _ := filepath.Glob(filepath.Join(base, "air-executor.v*")); len(copies) > 0 {
		t.Errorf("there are %q", copies)
	}
	d, err := Open(context.Background(), base, engine.Options{Migrations: next})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if d.Schema() != 1 {
		t.Errorf("schema version %d, want 1", d.Schema())
	}
}
