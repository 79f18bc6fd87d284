package db

import (
	"context"
	"database/sql"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/air-executor/air-executor/db/sqlite"
	"github.com/air-executor/air-executor/job"
	"github.com/air-executor/air-executor/lock"
)

// opened opens a database whose writes wait for a time that no test waits for.
func opened(t *testing.T) *DB {
	t.Helper()
	d, err := Open(t.Context(), t.TempDir(), Options{Durability: "normal", Wait: 20 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

// held carries out do, which is handed a function to call once it holds something,
// and returns when it does. The function returned lets go, and waits for its end.
func held(t *testing.T, do func(now func()) error) (release func()) {
	t.Helper()
	holds, let, ended := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	go func() {
		ended <- do(func() {
			close(holds)
			<-let
		})
	}()
	select {
	case <-holds:
	case err := <-ended:
		t.Fatalf("ended before it held anything: %v", err)
	}
	return func() {
		close(let)
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
}

// Each read returns while the writer is still in the middle of its transaction,
// or else the test never ends.
func TestReadsDoNotWaitForAWriter(t *testing.T) {
	d := opened(t)
	batch := Batch{Job: "j", Tasks: sequence([]job.Spec{{ID: "a", Command: "true"}})}
	if _, err := d.Enqueue(t.Context(), batch); err != nil {
		t.Fatal(err)
	}
	release := held(t, func(now func()) error {
		return d.write(t.Context(), func(tx *tx) error {
			_, err := tx.exec(`UPDATE task SET priority = 1`)
			now()
			return err
		})
	})
	defer release()
	if jobs, err := d.Jobs(t.Context()); len(jobs) != 1 || err != nil {
		t.Errorf("%v, %v", jobs, err)
	}
	if task, err := d.Task(t.Context(), "j", "a"); task.Priority != 0 || err != nil {
		t.Errorf("the read saw what was not committed: %+v, %v", task, err)
	}
	if n, err := d.Claimable(t.Context(), 10, ""); n != 1 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	if _, err := d.Changes(t.Context()); err != nil {
		t.Error(err)
	}
}

// And a writer does not wait for those that read, however long they take.
func TestAWriterDoesNotWaitForReads(t *testing.T) {
	d := opened(t)
	for range sqlite.MaxReaders {
		release := held(t, func(now func()) error {
			return d.read(t.Context(), func(tx *tx) error {
				_, err := tx.lastStep()
				now()
				return err
			})
		})
		defer release()
	}
	if _, err := d.Enqueue(t.Context(), Batch{Job: "j", Tasks: sequence([]job.Spec{{ID: "a", Command: "true"}})}); err != nil {
		t.Error(err)
	}
}

func TestAnEndedContextEndsEveryWait(t *testing.T) {
	write := func(ctx context.Context, d *DB) error { return d.write(ctx, func(*tx) error { return nil }) }
	for _, wait := range []struct {
		name string
		hold func(d *DB) func(now func()) error
		do   func(ctx context.Context, d *DB) error
	}{
		{"for a writer of this process", func(d *DB) func(func()) error {
			return func(now func()) error {
				return d.write(context.Background(), func(*tx) error { now(); return nil })
			}
		}, write},
		{"for a writer of another process", func(d *DB) func(func()) error {
			return func(now func()) error {
				return withLock(filepath.Join(filepath.Dir(d.Path()), "write.lock"), now)
			}
		}, write},
		{"for another program that writes", func(d *DB) func(func()) error {
			return func(now func()) error {
				pool, err := sql.Open("sqlite", d.Path())
				if err != nil {
					return err
				}
				defer pool.Close()
				other, err := pool.Conn(context.Background())
				if err != nil {
					return err
				}
				defer other.Close()
				if _, err := other.ExecContext(context.Background(), "BEGIN IMMEDIATE"); err != nil {
					return err
				}
				now()
				_, err = other.ExecContext(context.Background(), "ROLLBACK")
				return err
			}
		}, write},
		{"for a place to read", func(d *DB) func(func()) error {
			return func(now func()) error {
				for range sqlite.MaxReaders {
					_, done, err := d.engine.Begin(context.Background(), false)
					if err != nil {
						return err
					}
					defer done(true)
				}
				now()
				return nil
			}
		}, func(ctx context.Context, d *DB) error {
			_, err := d.Jobs(ctx)
			return err
		}},
	} {
		t.Run(wait.name, func(t *testing.T) {
			d := opened(t)
			release := held(t, wait.hold(d))
			defer release()
			ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
			defer cancel()
			if err := wait.do(ctx, d); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%v, want that the context has ended", err)
			}
		})
	}
}

func TestAnEndedContextEndsTheWaitForAnotherThatBuilds(t *testing.T) {
	base := t.TempDir()
	release := held(t, func(now func()) error { return withLock(filepath.Join(base, "migrate.lock"), now) })
	defer release()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if d, err := Open(ctx, base, Options{}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v, %v, want that the context has ended", d, err)
	}
}

func withLock(path string, now func()) error {
	l, err := lock.Open(path)
	if err != nil {
		return err
	}
	defer l.Close()
	if err := l.TryLock(); err != nil {
		return err
	}
	now()
	return l.Unlock()
}

// A runner and most commands do one thing after the other. They pay for one
// connection, whatever they do.
func TestWhatDoesOneThingAfterTheOtherOpensOneConnection(t *testing.T) {
	d := exercised(t)
	if open := d.engine.(*sqlite.DB).Connections(); open != 1 {
		t.Errorf("%d connections are open", open)
	}
}
