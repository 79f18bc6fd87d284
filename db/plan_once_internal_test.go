package db

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/air-executor/air-executor/job"
)

// exerciseOnce adds something once, and asks for it again.
func exerciseOnce(t *testing.T, d *DB) {
	t.Helper()
	must := requires(t)
	add := func(digest string) error {
		ctx := WithOnce(context.Background(), Once{Key: "k", Digest: digest, Answer: func(added any) ([]byte, error) {
			return []byte(added.(Added).Job), nil
		}})
		_, err := d.Enqueue(ctx, Batch{Job: "once", Keys: true, IfAbsent: true, Tasks: sequence([]job.Spec{{ID: "a", Command: "true"}})})
		return err
	}
	must(add("x"))
	var was *Answered
	if err := add("x"); !errors.As(err, &was) || string(was.Body) != "once" {
		t.Fatalf("again: %v", err)
	}
	if err := add("y"); !errors.Is(err, ErrKeyReused) {
		t.Fatalf("another: %v", err)
	}
	_, err := d.SetJob(WithOnce(context.Background(), Once{Key: "other", Answer: func(any) ([]byte, error) { return nil, nil }}), "once",
		JobChange{Labels: func([]string) ([]string, error) { return []string{"a=b"}, nil }})
	must(err)
}

func TestWhatIsDoneOnceIsForgottenAfterDays(t *testing.T) {
	d := opened(t)
	exerciseOnce(t, d)
	var clock time.Duration
	d.clock = func() time.Time { return time.Now().Add(clock) }
	add := func() error {
		ctx := WithOnce(context.Background(), Once{Key: "k", Digest: "z", Answer: func(any) ([]byte, error) { return []byte("again"), nil }})
		_, err := d.Enqueue(ctx, Batch{Job: "later", Tasks: sequence([]job.Spec{{Command: "true"}})})
		return err
	}
	clock = AnswersKept - time.Minute
	if err := add(); !errors.Is(err, ErrKeyReused) {
		t.Fatalf("before: %v", err)
	}
	clock = AnswersKept + time.Minute
	if err := add(); err != nil {
		t.Fatalf("after: %v", err)
	}
	n := 0
	if err := only(t, d).GetContext(context.Background(), &n, "SELECT COUNT(*) FROM answer"); err != nil || n != 1 {
		t.Errorf("%d answers: %v", n, err)
	}
}

func TestOldAnswersAreFoundByIndex(t *testing.T) {
	d := opened(t)
	var queries []string
	d.trace = func(_ *tx, query string, _ []any) { queries = append(queries, query) }
	exerciseOnce(t, d)
	d.trace = nil
	i := slices.IndexFunc(queries, func(q string) bool { return strings.Contains(q, "SELECT key FROM answer") })
	if i < 0 {
		t.Fatal("not found")
	}
	if plan := strings.Join(explain(t, d, queries[i]), "\n"); !strings.Contains(plan, "answer_at") {
		t.Error(plan)
	}
}
