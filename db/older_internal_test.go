package db

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/air-executor/air-executor/internal/testkit"
)

// What needs a later schema says so, and what SQLite says of a mistake of ours
// stays what it is.
func TestAStatementThatNeedsALaterSchemaSaysSo(t *testing.T) {
	for _, query := range []string{`SELECT later FROM task`, `SELECT 1 FROM later`, `UPDATE task SET later = 1`, `INSERT INTO job (later) VALUES (1)`} {
		base := t.TempDir()
		testkit.Gunzip(t, "testdata/v1.db.gz", filepath.Join(base, FileName))
		d, err := Open(context.Background(), base, Next(t, Options{}))
		if err != nil {
			t.Fatal(err)
		}
		run := func() error {
			return d.write(context.Background(), func(t *tx) error { _, err := t.exec(query); return err })
		}
		if err := run(); !errors.Is(err, ErrOlder) || strings.Contains(err.Error(), "SQL") {
			t.Errorf("%s: error %v, want ErrOlder alone", query, err)
		}
		d.schema = NextSchema
		if err := run(); err == nil || errors.Is(err, ErrOlder) {
			t.Errorf("%s: error %v in a database that is up to date", query, err)
		}
		d.Close()
	}
}
