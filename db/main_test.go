package db_test

import (
	"context"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/internal/testkit"
	"github.com/air-executor/air-executor/job"
	"github.com/air-executor/air-executor/runner"
)

// The test binary runs itself again as another process that uses a database.
// What it does there is in the first variable, as words that blanks separate;
// the base path is in the second.
const (
	envChild = "DB_TEST_CHILD"
	envBase  = "DB_TEST_BASE"
)

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == runner.Argument {
		os.Exit(runner.Main(os.Args[1:], newLogger))
	}
	if len(os.Args) > 1 && os.Args[1] == queueTen {
		os.Exit(queueTenMain())
	}
	if words := strings.Fields(os.Getenv(envChild)); len(words) > 0 {
		if err := child(os.Getenv(envBase), words[0], words[1:]); err != nil {
			fmt.Println("error:", err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// child waits for the end of its standard input, so that many can be started
// at once, and then works. What it has done it says on standard output.
func child(base, what string, args []string) error {
	ctx := context.Background()
	if what != "block" {
		if _, err := io.Copy(io.Discard, os.Stdin); err != nil {
			return err
		}
	}
	d, err := db.Open(ctx, base, db.Options{})
	if err != nil {
		return err
	}
	defer d.Close()
	switch what {
	case "open":
		_, err := d.Jobs(ctx)
		return err
	case "enqueue": // JOB N: N times one task, each id said when it is durable
		n, err := strconv.Atoi(args[1])
		if err != nil {
			return err
		}
		for range n {
			added, err := d.Enqueue(ctx, db.Batch{Job: args[0], Tasks: specs(job.Spec{Command: "true"})})
			if err != nil {
				return err
			}
			fmt.Println(added.IDs[0])
		}
		return nil
	case "work": // NAME: claims and finishes until there is nothing, says each task
		for {
			a, err := d.Claim(ctx, db.Runner{Manager: args[0]}, 50, "")
			if err != nil || a == nil {
				return err
			}
			fmt.Println(a.Job + "/" + a.Task)
			if _, err := d.Finish(ctx, a, success, false); err != nil {
				return err
			}
		}
	case "fold": // counts events for ever, says once that it does
		for said := false; ; {
			more, err := d.Fold(ctx)
			if err != nil {
				return err
			}
			if !more && !said {
				fmt.Println("folded")
				said = true
			}
		}
	case "block": // stays inside a write transaction until its input ends
		_, err := d.Enqueue(ctx, db.Batch{Job: "blocked", Tasks: func(yield func(job.Spec, error) bool) {
			fmt.Println("inside")
			_, _ = io.Copy(io.Discard, os.Stdin)
		}})
		return err
	}
	return fmt.Errorf("no such child: %s", what)
}

// start starts a child, which begins when its input is closed.
func start(t *testing.T, base, what string) *testkit.Process {
	t.Helper()
	return testkit.Start(t, testkit.Again(envBase+"="+base, envChild+"="+what))
}

// wait lets a child begin, and returns the lines that it says until its end. It
// must not fail.
func wait(t *testing.T, p *testkit.Process) []string {
	t.Helper()
	p.In.Close()
	out, err := io.ReadAll(p.Out)
	if err != nil {
		t.Error(err)
	}
	if err := p.Wait(); err != nil {
		t.Errorf("%q: %v\n%s", p.Env[len(os.Environ()):], err, out)
	}
	return strings.Fields(string(out))
}
