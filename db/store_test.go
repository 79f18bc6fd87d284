package db_test

import (
	"context"
	"database/sql"
	"net/url"
	"path/filepath"
	"testing"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/db/dbtest"
)

// sqlite is the engine of these tests.
var sqlite = dbtest.Engine{
	Open: db.Open,
	SQL:  func(t *testing.T, base string) *sql.DB { return rawAt(t, base, "foreign_keys(1)") },
}

func TestConformance(t *testing.T) { dbtest.Run(t, sqlite) }

var ctx = context.Background()

// store is a database with what only these tests need of it.
type store struct{ *dbtest.Store }

func open(t *testing.T) *store { return openAt(t, t.TempDir(), db.Options{}) }

func openAt(t *testing.T, base string, o db.Options) *store {
	t.Helper()
	return &store{dbtest.Open(t, sqlite, base, o)}
}

// raw opens the file of the database without any of our rules.
func raw(s *store, pragmas ...string) *sql.DB {
	s.T.Helper()
	return rawAt(s.T, s.Base, pragmas...)
}

func rawAt(t *testing.T, base string, pragmas ...string) *sql.DB {
	t.Helper()
	query := url.Values{"_pragma": append(pragmas, "busy_timeout(10000)")}
	pool, err := sql.Open("sqlite", "file:"+filepath.Join(base, db.FileName)+"?"+query.Encode())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { pool.Close() })
	return pool
}

// The names by which tests of this package know what is shared.
var (
	task, urgent, specs = dbtest.Task, dbtest.Urgent, dbtest.Specs
	aTask, aCompleted   = dbtest.ATask, dbtest.ACompleted
	success, failure    = dbtest.Success, dbtest.Failure
	runner1, ticking    = dbtest.Runner1, dbtest.Ticking
)

const unlimited = dbtest.Unlimited
