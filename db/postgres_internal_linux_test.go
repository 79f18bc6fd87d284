package db

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/jmoiron/sqlx"

	"github.com/air-executor/air-executor/job"
)

// oneLine is a statement as PostgreSQL takes it, without line breaks.
func oneLine(query string) string {
	return strings.Join(strings.Fields(sqlx.Rebind(sqlx.DOLLAR, forPostgres(query))), " ")
}

// recorded carries out do on a database that looks for no index of its own, and
// returns the statements with their values.
func recorded(d *DB, do func()) (statements []recording) {
	d.dialect = remarked
	d.trace = func(_ *tx, query string, args []any) { statements = append(statements, recording{query, args}) }
	do()
	d.trace = nil
	return statements
}

type recording struct {
	query string
	args  []any
}

// ends reports whether it begins or ends a transaction.
func (r recording) ends() bool {
	return slices.Contains([]string{"BEGIN", remarked.begin, "COMMIT", "ROLLBACK"}, r.query)
}

func TestPostgreSQLTakesEveryStatement(t *testing.T) {
	p := startPostgres(t)
	var lines []string
	d := opened(t)
	for _, r := range recorded(d, func() { exercise(t, d) }) {
		line := oneLine(r.query)
		if !r.ends() && !slices.Contains(lines, line) {
			lines = append(lines, line)
		}
	}
	if said := p.run(postgresSchema(t)); said != "" {
		t.Fatalf("the schema: %s", said)
	}
	if said := p.run("PREPARE s AS SELECT nonsense;"); !strings.Contains(said, "<stdin>:1: ERROR") {
		t.Fatalf("a bad statement: %q", said)
	}
	refused := 0
	for i, line := range lines {
		lines[i] = fmt.Sprintf("PREPARE s%d AS %s;", i, line)
	}
	for said := range strings.Lines(p.run(strings.Join(lines, "\n"))) {
		var n int
		if _, err := fmt.Sscanf(said, "psql:<stdin>:%d: ERROR", &n); err == nil {
			refused++
			t.Errorf("%sin %s", said, lines[n-1])
		}
	}
	t.Logf("%d of %d statements are taken", len(lines)-refused, len(lines))
}

// script is the statements of one transaction with their values, without its
// beginning and its end.
func script(statements []recording, replace *strings.Replacer) (out []string) {
	begun := 0
	for _, r := range statements {
		switch {
		case r.query == "ROLLBACK":
			out = out[:begun]
		case r.query == remarked.begin:
			begun = len(out)
		}
		if r.ends() {
			continue
		}
		text := oneLine(r.query)
		values := make([]string, len(r.args))
		for i, v := range r.args {
			values[i] = replace.Replace(literal(v))
		}
		for i := len(values); i > 0; i-- { // $12 before $1
			text = strings.ReplaceAll(text, fmt.Sprintf("$%d", i), values[i-1])
		}
		out = append(out, text)
	}
	return out
}

// literal is a value as it is written in a statement.
func literal(v any) string {
	r := reflect.ValueOf(v)
	if r.Kind() == reflect.Pointer && !r.IsNil() {
		r = r.Elem()
	}
	switch {
	case !r.IsValid() || r.Kind() == reflect.Pointer:
		return "NULL"
	case r.Kind() == reflect.Slice:
		return fmt.Sprintf(`'\x%x'`, r.Bytes())
	case r.CanInt():
		return fmt.Sprint(r.Int())
	}
	return "'" + strings.ReplaceAll(r.String(), "'", "''") + "'"
}

// crowd is a database in which tasks of two jobs run, each with another that waits
// for it, and a task of a third is ready.
type crowd struct {
	t    *testing.T
	d    *DB
	a, x *Assignment
}

func (c *crowd) must(err error) {
	c.t.Helper()
	if err != nil {
		c.t.Fatal(err)
	}
}

func (c *crowd) queue(b Batch, tasks ...job.Spec) {
	c.t.Helper()
	b.Tasks, b.MaxDepth, b.MaxSubtasks = sequence(tasks), 10, 10
	_, err := c.d.Enqueue(c.t.Context(), b)
	c.must(err)
}

func (c *crowd) claim(name string) *Assignment {
	c.t.Helper()
	a, err := c.d.Claim(c.t.Context(), Runner{}, 10, name)
	c.must(err)
	return a
}

func (c *crowd) prepare() {
	cmd := func(id string, needs ...string) job.Spec {
		return job.Spec{ID: id, Command: "true", Dependencies: needs}
	}
	c.queue(Batch{Job: "j"}, cmd("a"), cmd("b", "a"), cmd("c"))
	c.queue(Batch{Job: job.HooksJob}, cmd("alarm"))
	x := cmd("x")
	x.Hooks.OnEnd = job.ShellHook("true")
	c.queue(Batch{Job: "k"}, x, cmd("y", "x"))
	c.queue(Batch{Job: "j"}, cmd("l", "k:x"))
	c.a, c.x = c.claim("j"), c.claim("k")
	c.queue(Batch{Job: "free"}, cmd("f"))
}

// operations are what may happen at once, in one transaction each.
var operations = map[string]func(c *crowd){
	"finish": func(c *crowd) {
		_, err := c.d.Finish(c.t.Context(), c.a, job.Result{Status: job.Completed}, false)
		c.must(err)
	},
	"cancel": func(c *crowd) {
		_, err := c.d.Cancel(c.t.Context(), "j", "")
		c.must(err)
	},
	"give back": func(c *crowd) {
		_, err := c.d.GiveBack(c.t.Context(), c.a)
		c.must(err)
	},
	"queue from the first job in the second": func(c *crowd) {
		c.queue(Batch{Job: "k", Parent: c.a.Token}, job.Spec{ID: "z", Command: "true"})
	},
	"queue from the second job in the first": func(c *crowd) {
		c.queue(Batch{Job: "j", Parent: c.x.Token}, job.Spec{ID: "z", Command: "true"})
	},
	"remove": func(c *crowd) {
		_, err := c.d.RemoveTasks(c.t.Context(), "j", []string{"b", "c"})
		c.must(err)
	},
	"finish what another job needs": func(c *crowd) {
		_, err := c.d.Finish(c.t.Context(), c.x, job.Result{Status: job.Completed}, false)
		c.must(err)
	},
	"need a task of another job": func(c *crowd) {
		c.queue(Batch{Job: "k"}, job.Spec{ID: "m", Command: "true", Dependencies: []string{"j:c"}})
	},
	"claim": func(c *crowd) { c.claim("") },
	"finish with a hook": func(c *crowd) {
		_, err := c.d.Finish(c.t.Context(), c.x, job.Result{Status: job.Completed}, false)
		c.must(err)
	},
}

// recordCrowd returns the statements that make the crowd, and those of one operation
// on it.
func recordCrowd(t *testing.T, operation func(*crowd)) (before, during []string) {
	c := &crowd{t: t, d: opened(t)}
	made := recorded(c.d, c.prepare)
	done := recorded(c.d, func() { operation(c) })
	tokens := strings.NewReplacer(c.a.Token, strings.Repeat("a", 32), c.x.Token, strings.Repeat("b", 32))
	return script(made, tokens), script(done, tokens)
}

// Each operation is stopped after each of its statements, and another one begins
// beside it. Whichever waits for the other, both come to their end.
func TestOperationsOnPostgreSQLDoNotWaitForEachOther(t *testing.T) {
	p := startPostgres(t)
	scripts := map[string][]string{}
	var seed []string
	for name, operation := range operations {
		seed, scripts[name] = recordCrowd(t, operation)
	}
	first, second, observer := p.session(t), p.session(t), p.session(t)
	if said := p.run(postgresSchema(t)); said != "" {
		t.Fatalf("the schema: %s", said)
	}
	for _, s := range seed {
		observer.send(s)
	}
	if observer.wait(); len(observer.bad) > 0 {
		t.Fatalf("the rows: %q", observer.bad)
	}
	for name, one := range scripts {
		for with, other := range scripts {
			if name == "claim" && with == name {
				continue // the second passes over a job that the first has locked, and takes another
			}
			for n := 1; n <= len(one); n++ {
				first.bad, second.bad = nil, nil
				first.send("BEGIN;" + strings.Join(one[:n], ";"))
				first.wait()
				second.send("BEGIN;" + strings.Join(other, ";") + "; ROLLBACK")
				ended := second.waitOrBlock(observer)
				first.send(strings.Join(slices.Concat(one[n:], []string{"ROLLBACK"}), ";"))
				first.wait()
				if !ended {
					second.wait()
				}
				if bad := append(first.bad, second.bad...); len(bad) > 0 {
					t.Errorf("%s, stopped before %q, beside %s: %q", name, slices.Concat(one, []string{"its end"})[n], with, bad)
				}
			}
		}
	}
}
