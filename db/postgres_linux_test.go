package db

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/air-executor/air-executor/internal/testkit"
)

// postgres is a PostgreSQL server of its own for one test, which only a Unix socket
// in its folder leads to.
type postgres struct {
	folder string
	as     *syscall.Credential // nil: the user of the test
}

// startPostgres starts a server. Where PostgreSQL is not installed, the test is
// skipped.
func startPostgres(t *testing.T) *postgres {
	t.Helper()
	bin := postgresPrograms(t)
	folder, err := os.MkdirTemp("", "pg") // directly there: others can pass, and sockets have short names
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(folder) })
	p := &postgres{folder: folder}
	if os.Geteuid() == 0 { // for whom it does not run
		const nobody = 65534
		p.as = &syscall.Credential{Uid: nobody, Gid: nobody}
		if err := os.Chown(folder, nobody, nobody); err != nil {
			t.Fatal(err)
		}
	}
	data := filepath.Join(folder, "data")
	if out, err := p.command(filepath.Join(bin, "initdb"), "-D", data, "-U", "test", "-A", "trust", "-N", "--locale", "C", "-E", "UTF8").CombinedOutput(); err != nil {
		t.Fatalf("initdb: %v\n%s", err, out)
	}
	server := p.command(filepath.Join(bin, "postgres"), "-D", data, "-k", folder, "-h", "", "-F", "-c", "deadlock_timeout=10ms")
	var said bytes.Buffer
	server.Stdout, server.Stderr = &said, &said
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = server.Process.Signal(syscall.SIGQUIT) // at once
		_ = server.Wait()
	})
	late := time.Now().Add(time.Minute)
	for p.psql().Run() != nil {
		if time.Now().After(late) {
			t.Fatalf("PostgreSQL does not answer:\n%s", said.String())
		}
		time.Sleep(10 * time.Millisecond)
	}
	return p
}

// postgresPrograms is the folder of the newest server that is installed. Debian
// does not have it in PATH.
func postgresPrograms(t *testing.T) string {
	t.Helper()
	if _, err := exec.LookPath("psql"); err != nil {
		t.Skip("psql is not installed")
	}
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if len(found) > 0 {
		return filepath.Dir(found[len(found)-1])
	}
	initdb, err := exec.LookPath("initdb")
	if err != nil {
		t.Skip("PostgreSQL is not installed")
	}
	return filepath.Dir(initdb)
}

func (p *postgres) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(name, args...)
	cmd.Dir = p.folder
	// A test that is killed leaves no server behind.
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: p.as, Pdeathsig: syscall.SIGQUIT}
	return cmd
}

func (p *postgres) psql() *exec.Cmd {
	return p.command("psql", "-h", p.folder, "-U", "test", "-d", "postgres", "-qAtX")
}

// run runs a script, and returns what PostgreSQL says, with the lines of errors.
func (p *postgres) run(script string) string {
	cmd := p.psql()
	cmd.Args = append(cmd.Args, "-f", "-")
	cmd.Stdin = strings.NewReader(script)
	out, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Sprintf("%s\n%v", out, err)
	}
	return string(out)
}

// session is a connection on which statements run one after the other.
type session struct {
	t    *testing.T
	in   io.WriteCloser
	said chan string // lines
	pid  string      // of its server
	sent int
	bad  []string // errors
}

func (p *postgres) session(t *testing.T) *session {
	t.Helper()
	cmd := p.psql()
	psql := testkit.Prepare(t, cmd)
	cmd.Stderr = cmd.Stdout
	psql.Begin(t)
	s := &session{t: t, in: psql.In, said: make(chan string, 1000)}
	go func() {
		defer close(s.said)
		for lines := bufio.NewScanner(psql.Out); lines.Scan(); {
			s.said <- lines.Text()
		}
	}()
	t.Cleanup(func() {
		psql.In.Close()
		for range s.said {
		}
		_ = psql.Wait()
	})
	s.send(`SELECT 'pid ' || pg_backend_pid()`)
	for _, line := range s.wait() {
		s.pid = strings.TrimPrefix(line, "pid ")
	}
	return s
}

// end is the line that says that all that was sent before is done.
func (s *session) end() string { return fmt.Sprintf("done %d", s.sent) }

// send has a statement run.
func (s *session) send(statement string) {
	s.sent++
	if _, err := fmt.Fprintf(s.in, "%s;\n\\echo %s\n", statement, s.end()); err != nil {
		s.t.Fatal(err)
	}
}

// wait waits for the end of what was sent, and returns what was said.
func (s *session) wait() (lines []string) {
	for line := range s.said {
		if line == s.end() {
			return lines
		}
		s.note(line)
		lines = append(lines, line)
	}
	s.t.Fatal("psql has ended")
	return nil
}

func (s *session) note(line string) {
	if strings.HasPrefix(line, "ERROR") || strings.HasPrefix(line, "FATAL") {
		s.bad = append(s.bad, line)
	}
}

// waitOrBlock waits until what was sent is done, or waits for a lock, as observer
// sees. It reports whether it is done.
func (s *session) waitOrBlock(observer *session) bool {
	for {
		select {
		case line := <-s.said:
			if line == s.end() {
				return true
			}
			s.note(line)
			continue
		default:
		}
		observer.send(`SELECT 'waits' FROM pg_stat_activity WHERE pid = ` + s.pid + ` AND wait_event_type = 'Lock'`)
		if len(observer.wait()) > 0 {
			return false
		}
	}
}

// postgresDialect is what another database needs in place of SQLite's words.
var postgresDialect = dialect{
	begin:       "BEGIN",
	nextTask:    sqliteDialect.nextTask, // of one test, which queues alone
	nextJob:     sqliteDialect.nextJob,
	changes:     "SELECT 0",
	sound:       "SELECT 'ok'",
	foreignKeys: "SELECT 0",
	isList:      "jsonb_typeof(CAST(t.args AS jsonb)) = 'array'",
	listNeeds:   "string_agg(n.need, ',' ORDER BY n.need)",
	lockRow:     " FOR UPDATE",
	skip:        " FOR UPDATE OF j SKIP LOCKED",
}

// forPostgres gives a statement of the remarked dialect the words of PostgreSQL.
func forPostgres(query string) string {
	from, to := remarked, postgresDialect
	for _, whole := range [][2]string{{from.begin, to.begin}, {from.changes, to.changes}, {from.sound, to.sound}, {from.foreignKeys, to.foreignKeys}} {
		if query == whole[0] {
			return whole[1]
		}
	}
	return strings.NewReplacer(
		from.isList, to.isList, from.listNeeds, to.listNeeds,
		from.lockRow, to.lockRow, from.skip, to.skip,
		from.byClaimable, "", from.byReady, "", from.byHeld, "", from.bySlot, "", from.byMissing, "", from.byJobName, "",
		from.byLane, "", from.byLaneNext, "", from.byJobFailure, "", from.byJob, "", from.byTaskName, "",
	).Replace(query)
}

// postgresSchema translates our schema as far as the statements need it.
func postgresSchema(t *testing.T) string {
	t.Helper()
	names, err := filepath.Glob("../migrations/sqlite/*.sql")
	if err != nil || len(names) == 0 {
		t.Fatalf("%v: %v", names, err)
	}
	var all strings.Builder
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(text)
	}
	text := regexp.MustCompile(`(?m)--.*$`).ReplaceAllString(all.String(), "")
	text = regexp.MustCompile(`(?s)CREATE TRIGGER .*?\nEND;|(CREATE|DROP) VIEW .*?;|PRAGMA .*?;|INSERT INTO setting .*?;`).ReplaceAllString(text, "")
	text = regexp.MustCompile(`INTEGER( +CONSTRAINT \w+)? +PRIMARY KEY( AUTOINCREMENT)?`).ReplaceAllString(text, "bigint GENERATED BY DEFAULT AS IDENTITY$1 PRIMARY KEY")
	text = strings.NewReplacer(
		"INTEGER", "bigint", "BLOB", "bytea", ") STRICT, WITHOUT ROWID;", ");", ") STRICT;", ");",
	).Replace(text)
	return text
}
