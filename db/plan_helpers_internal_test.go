package db

import (
	"context"
	"iter"
	"strings"
	"testing"

	"github.com/air-executor/air-executor/db/engine"
)

// explain returns the plan of a statement, one step a line.
func explain(t *testing.T, d *DB, query string) []string {
	t.Helper()
	rows, err := only(t, d).QueryContext(context.Background(), "EXPLAIN QUERY PLAN "+query, make([]any, strings.Count(query, "?"))...)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	defer rows.Close()
	var plan []string
	for rows.Next() {
		var id, parent, unused int
		var detail string
		if err := rows.Scan(&id, &parent, &unused, &detail); err != nil {
			t.Fatal(err)
		}
		plan = append(plan, detail)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return plan
}

// only returns the one connection of a database that was used by one goroutine.
func only(t *testing.T, d *DB) *engine.Conn {
	t.Helper()
	c, done, err := d.engine.Begin(context.Background(), false)
	if err != nil {
		t.Fatal(err)
	}
	done(false)
	return c
}

// requires returns a function that ends the test at an error.
func requires(t *testing.T) func(error) {
	return func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
}

func sequence[T any](values []T) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for _, v := range values {
			if !yield(v, nil) {
				return
			}
		}
	}
}
