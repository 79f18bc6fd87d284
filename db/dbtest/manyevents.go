package dbtest

import (
	"database/sql"
	"strings"
	"testing"
	"time"

	_ "modernc.org/sqlite" // the database is a file of SQLite
)

// ManyEvents writes so many events, each of about size bytes, into the database at path by
// one statement, as another process would.
func ManyEvents(t testing.TB, path string, n, size int) {
	t.Helper()
	const insert = `
WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
INSERT INTO event (at, kind, data)
SELECT ?, 'pool.changed', ? FROM n`
	if _, err := openFile(t, path).Exec(insert, n, time.Now().UnixMicro(), strings.Repeat("p", size)); err != nil {
		t.Fatal(err)
	}
}

// HasReader reports whether somebody keeps a transaction of the database at path open, so
// that its log cannot be emptied.
func HasReader(t testing.TB, path string) bool {
	t.Helper()
	var busy, pages, moved int
	if err := openFile(t, path).QueryRow(`PRAGMA wal_checkpoint(TRUNCATE)`).Scan(&busy, &pages, &moved); err != nil {
		t.Fatal(err)
	}
	return busy != 0
}

func openFile(t testing.TB, path string) *sql.DB {
	t.Helper()
	d, err := sql.Open("sqlite", "file:"+path+"?_pragma=busy_timeout(10000)")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}
