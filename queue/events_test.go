package queue_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/air-executor/air-executor/config"
	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/job"
	"github.com/air-executor/air-executor/queue"
)

// told is a queue with a feed.
type told struct {
	*testing.T
	q    *queue.Queue
	feed *queue.Feed
	made int
}

func listening(t *testing.T) *told {
	t.Helper()
	conf := &config.Config{BasePath: filepath.Join(t.TempDir(), "base"), TaskTimeout: time.Minute, Durability: "normal"}
	q, err := queue.Open(t.Context(), conf, false)
	if err != nil {
		t.Fatal(err)
	}
	feed := queue.NewFeed(conf)
	t.Cleanup(func() {
		if err := errors.Join(feed.Close(), q.Close()); err != nil {
			t.Error(err)
		}
	})
	return &told{T: t, q: q, feed: feed}
}

// add makes so many events.
func (w *told) add(n int) {
	w.Helper()
	for range n {
		w.made++
		if _, _, err := w.q.DB.SetPool(w.Context(), "p", w.made, true); err != nil {
			w.Fatal(err)
		}
	}
}

func (w *told) listen(o queue.ListenOptions) *queue.Listener {
	w.Helper()
	l, err := w.feed.Listen(w.Context(), o)
	if err != nil {
		w.Fatal(err)
	}
	return l
}

func (w *told) now() db.Cursor {
	w.Helper()
	at, err := w.q.AsOf(w.Context(), nil)
	if err != nil {
		w.Fatal(err)
	}
	return at
}

// numbers reads until so many events are there, and returns their numbers.
func numbers(ctx context.Context, l *queue.Listener, n int) (got []string, err error) {
	for len(got) < n && err == nil {
		var frame *queue.Frame
		if frame, err = l.Next(ctx); err == nil {
			for _, e := range frame.Events {
				got = append(got, strings.Split(string(e.Cursor), ".")[1])
			}
		}
	}
	return got, err
}

// Many listeners, begun before and while events come, get each event once and in
// order, also those that resume by a cursor in the middle.
func TestListenersGetEachEventOnce(t *testing.T) {
	w := listening(t)
	const listeners, events = 20, 300
	w.add(5)
	var want []string
	for n := range events {
		want = append(want, fmt.Sprint(n+6))
	}
	after := w.now()
	var all sync.WaitGroup
	for i := range listeners {
		l := w.listen(queue.ListenOptions{After: after})
		all.Go(func() {
			var got []string
			for len(got) < events {
				some, err := numbers(t.Context(), l, min(1+i, events-len(got)))
				if err != nil {
					t.Error(err)
					return
				}
				got = append(got, some...)
				if i%2 == 0 { // lost its connection
					if l, err = w.feed.Listen(t.Context(), queue.ListenOptions{After: l.Cursor()}); err != nil {
						t.Error(err)
						return
					}
				}
			}
			if !slices.Equal(got, want) {
				t.Errorf("listener %d got %d events, want %d: %v", i, len(got), len(want), got)
			}
		})
	}
	w.add(events)
	all.Wait()
}

// One that falls behind what is kept is told to begin anew, or reads what it has missed.
func TestAListenerFallsBehind(t *testing.T) {
	w := listening(t)
	w.feed.Keep(3)
	resync := w.listen(queue.ListenOptions{After: w.now(), Resync: true})
	patient := w.listen(queue.ListenOptions{After: w.now()})
	quick := w.listen(queue.ListenOptions{After: w.now()})
	w.add(1)
	for _, l := range []*queue.Listener{resync, patient} {
		if _, err := numbers(t.Context(), l, 1); err != nil {
			t.Fatal(err)
		}
	}
	const frames = 6 // more than are kept
	seen := 0
	var places []db.Cursor
	for range frames {
		places = append(places, quick.Cursor())
		w.add(1)
		got, err := numbers(t.Context(), quick, 1)
		if err != nil {
			t.Fatal(err)
		}
		seen += len(got)
	}
	if got, err := numbers(t.Context(), quick, frames+1-seen); err != nil || len(got)+seen != frames+1 {
		t.Fatalf("%d events, %v", len(got)+seen, err)
	}
	middle := w.listen(queue.ListenOptions{After: places[frames-2]}) // of what is kept
	if got, err := numbers(t.Context(), middle, 1); err != nil || got[0] != fmt.Sprint(frames) {
		t.Errorf("from the middle: %v, %v", got, err)
	}
	frame, err := resync.Next(t.Context())
	if err != nil || !frame.Resync || frame.Cursor != w.now() || len(frame.Events) > 0 {
		t.Errorf("the one that is behind: %+v, %v", frame, err)
	}
	if got, err := numbers(t.Context(), patient, frames); err != nil || len(got) != frames {
		t.Errorf("the patient one got %d events, %v, want %d", len(got), err, frames)
	}
	w.add(1)
	if got, err := numbers(t.Context(), resync, 1); err != nil || !slices.Equal(got, []string{fmt.Sprint(frames + 2)}) {
		t.Errorf("after it began anew: %v, %v", got, err)
	}
}

// A listener gets what it wants, the newest rows of the jobs with it, and an error when
// its context, or the feed, ends.
func TestAListenerGetsWhatItWants(t *testing.T) {
	w := listening(t)
	l := w.listen(queue.ListenOptions{After: w.now(), Query: db.EventQuery{Jobs: []string{"j"}, Types: []string{"tasks."}}})
	w.add(3)
	for _, name := range []string{"k", "j"} {
		one := func(yield func(job.Spec, error) bool) { yield(job.Spec{Command: "true"}, nil) }
		if _, err := w.q.DB.Enqueue(t.Context(), db.Batch{Job: name, Tasks: one}); err != nil {
			t.Fatal(err)
		}
	}
	frame, err := l.Next(t.Context())
	if err != nil || len(frame.Events) != 1 || frame.Events[0].Type != db.TasksAdded || frame.Events[0].Job != "j" {
		t.Fatalf("%+v, %v", frame, err)
	}
	if jobs, err := frame.Jobs(t.Context()); err != nil || len(jobs) != 1 || jobs[0].Job != "j" || jobs[0].Counts.Pending != 1 {
		t.Errorf("jobs %+v, %v", jobs, err)
	}
	short, end := context.WithTimeout(t.Context(), time.Millisecond)
	defer end()
	if frame, err := l.Next(short); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("nothing comes: %+v, %v", frame, err)
	}
	if _, err := w.feed.Listen(t.Context(), queue.ListenOptions{After: "x"}); !errors.Is(err, db.ErrCursor) {
		t.Errorf("from a wrong cursor: %v", err)
	}
	waits := make(chan error)
	go func() { _, err := l.Next(context.WithoutCancel(t.Context())); waits <- err }()
	if err := w.feed.Close(); err != nil {
		t.Error(err)
	}
	if err := <-waits; !errors.Is(err, queue.ErrFeedClosed) {
		t.Errorf("after the feed was closed: %v", err)
	}
}

// Listeners that want the same share its text; one that wants something else gets its own.
func TestAFrameIsWrittenOnceForEachWant(t *testing.T) {
	w := listening(t)
	l := w.listen(queue.ListenOptions{After: w.now()})
	w.add(1)
	frame, err := l.Next(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	written := 0
	text := func(key string) string {
		got, err := frame.Text(key, func() ([]byte, error) { written++; return []byte(key), nil })
		if err != nil {
			t.Fatal(err)
		}
		return string(got)
	}
	if got := text("a") + text("a") + text("b") + text("a"); got != "aaba" || written != 2 {
		t.Errorf("%s, written %d times; what another one wants is sent", got, written)
	}
}
