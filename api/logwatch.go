package api

import (
	"context"
	"sync"
	"time"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/job"
	"github.com/air-executor/air-executor/queue"
)

// Limits of watching logs.
const (
	maxWatched = 256 // logs, by all clients together
	watchEvery = 250 * time.Millisecond
)

// logRef names the log of an attempt.
type logRef struct {
	Task    int64 `json:"task"`
	Attempt int   `json:"attempt"`
}

// logState is how much of a log there is.
type logState struct {
	job, id  string
	size     int64
	complete bool
	at       time.Time
	watchers int
}

// logWatch looks how logs grow, once for all who watch them. While nobody does, it does
// nothing.
type logWatch struct {
	queue *queue.Queue

	mu      sync.Mutex
	logs    map[logRef]*logState
	running bool
	all     sync.WaitGroup // of the goroutine that looks
	news    chan struct{}  // is closed when a log has changed
}

func newLogWatch(q *queue.Queue) *logWatch {
	return &logWatch{queue: q, logs: map[logRef]*logState{}, news: make(chan struct{})}
}

// watch begins to watch logs, until ctx ends. All of them must exist.
func (w *logWatch) watch(ctx context.Context, refs []logRef) error {
	for _, ref := range refs {
		s, err := w.look(ctx, ref)
		if err == nil {
			err = w.add(ref, s)
		}
		if err != nil {
			return err
		}
		context.AfterFunc(ctx, func() { w.remove(ref) })
	}
	return nil
}

func (w *logWatch) add(ref logRef, s logState) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.logs[ref] == nil {
		if len(w.logs) >= maxWatched {
			return retry(tooOften.errorf("%d logs are watched already", maxWatched), 10*time.Second)
		}
		w.logs[ref] = &s
	}
	w.logs[ref].watchers++
	if !w.running {
		w.running = true
		w.all.Go(w.run)
	}
	return nil
}

func (w *logWatch) remove(ref logRef) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if s := w.logs[ref]; s != nil {
		if s.watchers--; s.watchers == 0 {
			delete(w.logs, ref)
		}
	}
}

// look finds out how much of a log there is.
func (w *logWatch) look(ctx context.Context, ref logRef) (s logState, err error) {
	if s.job, s.id, err = w.queue.DB.TaskWithKey(ctx, ref.Task); err != nil {
		return s, err
	}
	f, err := w.queue.OpenLog(ctx, ref.Task, ref.Attempt)
	if err != nil {
		return s, err
	}
	defer f.Close()
	s.size, s.complete, s.at = f.Size, f.Complete, time.Now()
	return s, nil
}

// run looks at the logs that may grow, until none is watched.
func (w *logWatch) run() {
	for {
		var open []logRef
		w.mu.Lock()
		for ref, s := range w.logs {
			if !s.complete {
				open = append(open, ref)
			}
		}
		if w.running = len(w.logs) > 0; !w.running {
			w.mu.Unlock()
			return
		}
		w.mu.Unlock()
		for _, ref := range open {
			now, err := w.look(context.Background(), ref)
			w.note(ref, now, err)
		}
		time.Sleep(watchEvery)
	}
}

// note keeps what was found. A log whose task was removed does not grow any more; after
// other errors, it is looked at again.
func (w *logWatch) note(ref logRef, now logState, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	s := w.logs[ref]
	if s == nil {
		return
	}
	if err != nil {
		kind := toProblem(err).kind.name
		if kind != noSuchTask.name && kind != noSuchAttempt.name {
			return
		}
		now = *s
		now.complete, now.at = true, time.Now()
	}
	if s.size == now.size && s.complete == now.complete {
		return
	}
	s.size, s.complete, s.at = now.size, now.complete, now.at
	close(w.news)
	w.news = make(chan struct{})
}

// changed returns those of the logs that are not as they were told, and a channel that
// is closed when one changes again.
func (w *logWatch) changed(refs []logRef, told map[logRef]logState) (out map[logRef]logState, news chan struct{}) {
	w.mu.Lock()
	defer w.mu.Unlock()
	out = map[logRef]logState{}
	for _, ref := range refs {
		now := w.logs[ref]
		if now == nil {
			continue
		}
		if was, is := told[ref]; !is || was.size != now.size || was.complete != now.complete {
			out[ref] = *now
		}
	}
	return out, w.news
}

// LogGrown says that a log has grown, or is complete.
type LogGrown struct {
	queue.AttemptEvent
	Size     int64 `json:"size"`
	Complete bool  `json:"complete"`
}

func (s logState) event(ref logRef, cursor db.Cursor) LogGrown {
	return LogGrown{
		AttemptEvent: queue.AttemptEvent{
			EventHead: queue.EventHead{Cursor: cursor, At: job.FormatTime(s.at), Type: "log.grown", Job: &s.job},
			Task:      &queue.TaskRef{Key: ref.Task, ID: &s.id}, Attempt: &ref.Attempt,
		},
		Size: s.size, Complete: s.complete,
	}
}
