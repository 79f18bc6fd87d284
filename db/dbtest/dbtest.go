// Package dbtest tests the promises that every database engine must keep: the life of a
// job and its tasks, claims, late results, and a model that random operations are
// compared with. Features of a single engine, such as files and their locks, are tested
// with that engine.
//
// It is for tests. The program must not import it.
package dbtest

import (
	"context"
	"database/sql"
	"reflect"
	"testing"

	"github.com/air-executor/air-executor/db"
)

// Engine is a database engine as the tests use it.
type Engine struct {
	// Open opens the database of a base path, and creates it if it does not exist.
	Open func(ctx context.Context, base string, o db.Options) (*db.DB, error)
	// SQL opens the same database without package db, to do things that db would never
	// do. Constraints are checked, including foreign keys. It is closed when the test
	// ends.
	SQL func(t *testing.T, base string) *sql.DB
}

// suite has the tests as its exported methods.
type suite struct{ Engine }

// Run runs every test as a subtest, which has the name of its method.
func Run(t *testing.T, e Engine) {
	s := reflect.ValueOf(suite{e})
	for i := range s.NumMethod() {
		t.Run(s.Type().Method(i).Name, s.Method(i).Interface().(func(*testing.T)))
	}
}

// open opens a new database.
func (e suite) open(t *testing.T) *Store { return Open(t, e.Engine, t.TempDir(), db.Options{}) }

// ctx is for operations that must not be interrupted.
var ctx = context.Background()
