package db_test

import (
	"database/sql"
	"path/filepath"
	"testing"
	"time"

	"github.com/air-executor/air-executor/db"
)

// A process that opens an empty database after its builder was killed takes the write
// lock for a moment, to remove the builder's journal. The next builder failed at once
// if it came at that moment.
func TestBuildingADatabaseWaitsForItsLock(t *testing.T) {
	base := t.TempDir()
	pool, err := sql.Open("sqlite", filepath.Join(base, db.FileName))
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	other, err := pool.Conn(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if _, err := other.ExecContext(ctx, "BEGIN IMMEDIATE"); err != nil {
		t.Fatal(err)
	}
	opened := make(chan error, 1)
	go func() {
		d, err := db.Open(ctx, base, db.Options{})
		if err == nil {
			err = d.Close()
		}
		opened <- err
	}()
	select {
	case err := <-opened:
		t.Errorf("did not wait: %v", err)
		return
	case <-time.After(100 * time.Millisecond):
	}
	if _, err := other.ExecContext(ctx, "ROLLBACK"); err != nil {
		t.Fatal(err)
	}
	if err := <-opened; err != nil {
		t.Error(err)
	}
}
