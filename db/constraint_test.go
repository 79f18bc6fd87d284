package db_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/air-executor/air-executor/db"
)

// rule matches a constraint of a table, with its name if it has one.
var rule = regexp.MustCompile(`(?:CONSTRAINT (\w+) )?\b(PRIMARY KEY|CHECK|UNIQUE|REFERENCES|FOREIGN KEY)\b`)

// tables returns the statements that have made our tables, by name.
func (s *store) tables() map[string]string {
	s.t.Helper()
	out := map[string]string{}
	for _, row := range s.rows("SELECT name, sql FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%' AND name NOT LIKE 'goose%'")[1:] {
		out[row[0].(string)] = row[1].(string)
	}
	return out
}

// A constraint that has a name can be dropped, and another take its place. Without
// one, only a new table could change it, under the eyes of running runners. SQLite
// cannot drop what is UNIQUE in a table, so that is an index.
func TestEveryConstraintHasANameByWhichItCanBeDropped(t *testing.T) {
	s := openAt(t, t.TempDir(), db.Next(t, db.Options{}))
	raw := s.raw()
	dropped := 0
	for table, text := range s.tables() {
		seen := map[string]bool{}
		for _, m := range rule.FindAllStringSubmatch(text, -1) {
			name, kind := m[1], m[2]
			switch {
			case kind == "UNIQUE":
				t.Errorf("table %s has a UNIQUE: make it an index", table)
			case !strings.HasPrefix(name, table+"_"):
				t.Errorf("table %s: a %s is named %q, want a name that begins with %s_", table, kind, name, table)
			case seen[name]:
				t.Errorf("table %s: two constraints are named %s", table, name)
			case kind != "PRIMARY KEY": // no table can do without that
				if _, err := raw.Exec(fmt.Sprintf("ALTER TABLE %s DROP CONSTRAINT %s", table, name)); err != nil {
					t.Errorf("table %s: %v", table, err)
				}
				dropped++
			}
			seen[name] = true
		}
		for _, column := range s.rows("SELECT name FROM pragma_table_info('" + table + `') WHERE "notnull" AND NOT pk`)[1:] {
			// Such a one is told by its column.
			if _, err := raw.Exec(fmt.Sprintf("ALTER TABLE %s ALTER COLUMN %s DROP NOT NULL", table, column[0])); err != nil {
				t.Errorf("table %s: %v", table, err)
			}
			dropped++
		}
	}
	if dropped < 80 {
		t.Errorf("%d constraints were dropped, there are more", dropped)
	}
	for table, text := range s.tables() {
		for _, left := range []string{"CHECK", "REFERENCES"} {
			if strings.Contains(text, left) {
				t.Errorf("table %s has a %s left: %s", table, left, text)
			}
		}
	}
}

// A rule that changes is enforced at once, also in what has the database open.
func TestAConstraintCanBeReplacedUnderAnOpenDatabase(t *testing.T) {
	s := open(t)
	s.enqueue("j", task("a"))
	a := s.claim()
	raw := s.raw()
	for _, statement := range []string{
		"ALTER TABLE attempt DROP CONSTRAINT attempt_waits",
		"ALTER TABLE attempt ADD CONSTRAINT attempt_waits CHECK (waits < 1)",
	} {
		if _, err := raw.Exec(statement); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.SetParked(ctx, a.Token, true); err == nil || !strings.Contains(err.Error(), "attempt_waits") {
		t.Errorf("error %v, want one that names the constraint", err)
	}
	if _, err := raw.Exec("ALTER TABLE attempt ADD CONSTRAINT attempt_host CHECK (host = 'nowhere')"); err == nil {
		t.Error("a rule was added that a row breaks")
	}
	s.finish(a, success)
	s.sound()
}
