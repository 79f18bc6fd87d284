package db

import (
	"compress/gzip"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// oldBase returns a base path with a database of version 1.
func oldBase(t *testing.T) string {
	t.Helper()
	packed, err := os.Open("testdata/v1.db.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer packed.Close()
	z, err := gzip.NewReader(packed)
	if err != nil {
		t.Fatal(err)
	}
	content, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	base := t.TempDir()
	if err := os.WriteFile(filepath.Join(base, FileName), content, 0o600); err != nil {
		t.Fatal(err)
	}
	return base
}

// What needs a later schema says so, and what SQLite says of a mistake of ours
// stays what it is.
func TestAStatementThatNeedsALaterSchemaSaysSo(t *testing.T) {
	for _, query := range []string{`SELECT later FROM task`, `SELECT 1 FROM later`, `UPDATE task SET later = 1`, `INSERT INTO job (later) VALUES (1)`} {
		d, err := Open(context.Background(), oldBase(t), Next(t, Options{}))
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
