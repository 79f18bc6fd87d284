// Package dbtest holds every database engine to the same promises: the life of a job
// and its tasks, who may claim, whose result counts, and a model against which
// operations at random are compared. What only one engine does, such as files and
// their locks, is tested beside that engine.
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
	// Open opens the database that belongs to a base path, and makes it if it is not
	// there.
	Open func(ctx context.Context, base string, o db.Options) (*db.DB, error)
	// SQL opens the same database without package db, to do what db would never do.
	// Constraints are checked, foreign keys as well. It is closed when the test ends.
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

// ctx is that of operations which nothing is to interrupt.
var ctx = context.Background()
