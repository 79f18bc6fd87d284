package queue

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/air-executor/air-executor/config"
	"github.com/air-executor/air-executor/db"
)

// Events returns events behind a cursor, oldest first; the empty cursor is before the
// first one that is kept. One call looks at 20,000 at most, and says where the next goes
// on. Errors: [*db.CursorError], with which everything is to be read anew.
func (q *Queue) Events(ctx context.Context, after db.Cursor, query db.EventQuery) (db.EventPage, error) {
	return q.DB.Events(ctx, after, query)
}

// AsOf calls fn with the queue as it is at one instant, and returns the cursor of
// that instant: who reads the events behind it misses nothing that has changed since,
// and sees nothing that fn has read already. What fn reads is of one transaction, so it
// must be quick, and write to nobody. fn may be called again.
func (q *Queue) AsOf(ctx context.Context, fn func(*Queue) error) (db.Cursor, error) {
	return q.DB.AsOf(ctx, func(d *db.DB) error {
		if fn == nil {
			return nil
		}
		return fn(&Queue{DB: d, conf: q.conf})
	})
}

// Limits of what is kept for listeners, see [Feed].
const (
	feedFrames = 64                    // frames,
	feedBytes  = 4 << 20               // and about so many bytes of JSON in all of them
	feedAtOnce = 1000                  // events in one
	feedEvery  = 50 * time.Millisecond // how often is looked for new ones
)

// Feed tells any number of listeners in this process what happens. One goroutine asks,
// while somebody listens, every 50 ms whether the database has changed, and reads what
// is new, at most 1,000 events at a time. Listeners share what was read: the last 64 reads
// are kept, whatever the number of listeners. Who is behind them reads for itself, or is
// told to begin anew. Nothing is read while somebody waits for a listener.
type Feed struct {
	conf   *config.Config
	frames int // how many are kept

	mu      sync.Mutex
	db      *db.DB // of its own, which writes nothing: so it sees all changes; nil: not open yet
	waiting int    // listeners that wait for news
	stop    context.CancelFunc
	done    chan struct{} // of the goroutine that reads; nil: there is none
	closed  bool
	ring    []*Frame      // what was read, newest last, without gaps
	news    chan struct{} // is closed when ring has changed
}

// Frame is events that were read together.
type Frame struct {
	After  db.Cursor // before the first,
	Cursor db.Cursor // and behind the last of them, also of those that the listener does not want
	Events []db.Event
	// Resync says that the listener was too far behind: there are no events here. It is
	// to read anew what it shows, and goes on behind Cursor.
	Resync bool

	feed *Feed
	of   *Frame // with all of its events; nil: this one
	once sync.Once
	jobs []JobForm
	err  error

	mu   sync.Mutex
	key  string // of text
	text []byte
}

// ErrFeedClosed is the error of listeners after [Feed.Close].
var ErrFeedClosed = errors.New("the feed of events is closed")

// Feed makes a feed of the base path of the queue. It opens the database by itself, for the first
// listener.
func (q *Queue) Feed() *Feed { return NewFeed(q.conf) }

// NewFeed makes a feed of the base path of a configuration. It opens the database for the first
// listener.
func NewFeed(conf *config.Config) *Feed {
	return &Feed{conf: conf, frames: feedFrames, news: make(chan struct{})}
}

// Close ends all listeners, and closes the database.
func (f *Feed) Close() error {
	f.mu.Lock()
	f.closed = true
	stop, done := f.stop, f.done
	f.mu.Unlock()
	if done != nil {
		stop()
		<-done
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.tell()
	d := f.db
	if f.db = nil; d == nil {
		return nil
	}
	return d.Close()
}

// ListenOptions say what a listener wants.
type ListenOptions struct {
	After db.Cursor     // where it begins; empty: with the oldest event that is kept
	Query db.EventQuery // Limit is not looked at
	// Resync says that the listener wants a frame with Resync if it falls behind what the
	// feed keeps. Without it, it reads what it has missed.
	Resync bool
}

// Listener is one that follows a feed. It is for one goroutine, and needs not be closed.
type Listener struct {
	feed *Feed
	at   db.Cursor
	o    ListenOptions

	caughtUp bool // it has once read all that there was
}

// Listen begins to follow. Errors: [*db.CursorError], or those of opening the database.
func (f *Feed) Listen(ctx context.Context, o ListenOptions) (*Listener, error) {
	d, err := f.open(ctx)
	if err != nil {
		return nil, err
	}
	l := &Listener{feed: f, at: o.After, o: o}
	if o.After == "" {
		return l, nil
	}
	return l, d.CheckCursor(ctx, o.After)
}

// Cursor is how far the listener has come.
func (l *Listener) Cursor() db.Cursor { return l.at }

// Next waits for events that the listener wants, and returns them. Errors: that of
// the context, [*db.CursorError], or one of the database.
func (l *Listener) Next(ctx context.Context) (*Frame, error) {
	for {
		out, err := l.next(ctx)
		if err != nil && l.feed.isClosed() {
			err = ErrFeedClosed // whatever it has met then
		}
		if err != nil {
			return nil, err
		}
		if l.at = out.Cursor; out.Resync || len(out.Events) > 0 {
			return out, nil
		}
	}
}

// next returns the next frame, also if nothing of it is wanted.
func (l *Listener) next(ctx context.Context) (*Frame, error) {
	f := l.feed
	d, err := f.open(ctx)
	if err != nil {
		return nil, err
	}
	for {
		frame, news, behind := f.frameAfter(l.at)
		switch {
		case frame != nil:
			return frame.only(&l.o.Query), nil
		case news != nil:
			l.caughtUp = true
		case behind && l.caughtUp && l.o.Resync:
			at, err := d.AsOf(ctx, nil)
			return &Frame{After: l.at, Cursor: at, Resync: true, feed: f}, err
		default:
			page, err := d.Events(ctx, l.at, db.EventQuery{Jobs: l.o.Query.Jobs, Types: l.o.Query.Types, Limit: feedAtOnce})
			if err != nil {
				return nil, err
			}
			if !page.More {
				l.caughtUp = true
				news = f.begin(ctx, page.Cursor)
			}
			if page.Cursor != l.at {
				return &Frame{After: l.at, Cursor: page.Cursor, Events: page.Events, feed: f}, nil
			}
		}
		if err := f.wait(ctx, news); err != nil {
			return nil, err
		}
	}
}

// only is the frame with the events that are wanted.
func (f *Frame) only(q *db.EventQuery) *Frame {
	if len(q.Jobs)+len(q.Types) == 0 {
		return f
	}
	out := &Frame{After: f.After, Cursor: f.Cursor, feed: f.feed, of: f}
	for i := range f.Events {
		if q.Wants(&f.Events[i]) {
			out.Events = append(out.Events, f.Events[i])
		}
	}
	return out
}

// frameAfter finds what is kept behind a cursor. If that is where what is kept ends,
// it returns a channel instead that is closed when there is more. Neither: the cursor
// is not in what is kept, but before it, or nothing reads any more.
func (f *Feed) frameAfter(at db.Cursor) (frame *Frame, news chan struct{}, behind bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if n := len(f.ring); n > 0 && f.done != nil && f.ring[n-1].Cursor.Before(at) {
		return nil, f.news, false // the listener was quicker than what reads
	}
	for i := len(f.ring) - 1; i >= 0; i-- {
		kept := f.ring[i]
		switch {
		case kept.Cursor == at && i == len(f.ring)-1:
			return nil, f.news, false
		case kept.After == at:
			return kept, nil, false
		}
		if k := slices.IndexFunc(kept.Events, func(e db.Event) bool { return e.Cursor == at }); k >= 0 {
			return &Frame{After: at, Cursor: kept.Cursor, Events: kept.Events[k+1:], feed: f, of: kept}, nil, false
		}
	}
	return nil, nil, len(f.ring) > 0 && at.Before(f.ring[0].Cursor)
}

// begin is for a listener that has read all that there is. If nothing reads, what is
// kept begins there, and a goroutine reads from then on.
func (f *Feed) begin(ctx context.Context, at db.Cursor) chan struct{} {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.done == nil {
		f.ring = []*Frame{{After: at, Cursor: at, feed: f}}
		f.start(ctx)
	}
	return f.news
}

// start has a goroutine read, if there is none. The feed must be locked.
func (f *Feed) start(ctx context.Context) {
	if f.done != nil || f.closed || len(f.ring) == 0 {
		return
	}
	reading, stop := context.WithCancel(context.WithoutCancel(ctx))
	f.stop, f.done = stop, make(chan struct{})
	go f.read(reading, f.done)
}

func (f *Feed) isClosed() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.closed
}

// tell wakes those that wait. The feed must be locked.
func (f *Feed) tell() {
	close(f.news)
	f.news = make(chan struct{})
}

// wait waits for news. While somebody waits, a goroutine reads.
func (f *Feed) wait(ctx context.Context, news chan struct{}) error {
	f.mu.Lock()
	if f.closed {
		f.mu.Unlock()
		return ErrFeedClosed
	}
	f.waiting++
	f.start(ctx)
	f.mu.Unlock()
	defer func() {
		f.mu.Lock()
		f.waiting--
		f.mu.Unlock()
	}()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-news:
		return nil
	}
}

// read looks for what is new until nobody has waited for a while. After an error, it
// keeps nothing: each listener meets the error when it reads for itself.
func (f *Feed) read(ctx context.Context, done chan struct{}) {
	const idle = 20 // times
	defer close(done)
	ticks := time.NewTicker(feedEvery)
	defer ticks.Stop()
	seen := int64(-1)
	var err error
	for unused := 0; unused < idle && err == nil; {
		seen, err = f.look(ctx, seen)
		if err == nil {
			select {
			case <-ctx.Done():
				err = ctx.Err()
			case <-ticks.C:
			}
		}
		f.mu.Lock()
		if unused++; f.waiting > 0 {
			unused = 0
		}
		if unused == idle || err != nil {
			f.done = nil // in the same moment as the decision: who waits next begins anew
		}
		if err != nil {
			f.ring = nil
			f.tell()
		}
		f.mu.Unlock()
	}
}

// look reads what is new, if the database has changed since it was seen last.
func (f *Feed) look(ctx context.Context, seen int64) (int64, error) {
	now, err := f.db.Changes(ctx)
	for err == nil && now != seen {
		f.mu.Lock()
		at := f.ring[len(f.ring)-1].Cursor
		f.mu.Unlock()
		var page db.EventPage
		page, err = f.db.Events(ctx, at, db.EventQuery{Limit: feedAtOnce})
		if err != nil {
			break
		}
		if len(page.Events) > 0 {
			f.keep(&Frame{After: at, Cursor: page.Cursor, Events: page.Events, feed: f})
		}
		if !page.More {
			seen = now
		}
	}
	return seen, err
}

// keep adds a frame, and drops the oldest that are too many.
func (f *Feed) keep(frame *Frame) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.ring = append(f.ring, frame)
	bytes := 0
	for i := len(f.ring) - 1; i >= 0; i-- {
		if bytes += f.ring[i].size(); bytes > feedBytes || len(f.ring)-i > f.frames {
			f.ring = slices.Clone(f.ring[i+1:])
			break
		}
	}
	f.tell()
}

// size is about how many bytes the events have as JSON.
func (f *Frame) size() (n int) {
	const each = 200
	for i := range f.Events {
		e := &f.Events[i]
		n += each + len(e.Job) + len(e.Task) + len(e.Name)
	}
	return n
}

// open opens the database for the first listener.
func (f *Feed) open(ctx context.Context) (*db.DB, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return nil, ErrFeedClosed
	}
	var err error
	if f.db == nil {
		f.db, err = openExisting(ctx, f.conf)
	}
	return f.db, err
}

// Jobs returns the newest rows of the jobs that the events are about; one that is
// not there any more is left out. Listeners that got the same frame share the reading.
func (f *Frame) Jobs(ctx context.Context) ([]JobForm, error) {
	if f.of != nil {
		all, err := f.of.Jobs(ctx)
		names := f.names()
		return slices.DeleteFunc(slices.Clone(all), func(j JobForm) bool { return !slices.Contains(names, j.Job) }), err
	}
	f.once.Do(func() { f.jobs, f.err = f.feed.jobs(context.WithoutCancel(ctx), f.names()) })
	return f.jobs, f.err
}

// Text returns what encode makes of the frame. Listeners that want the same of it, which
// the key says, share the text; it must not be changed.
func (f *Frame) Text(key string, encode func() ([]byte, error)) ([]byte, error) {
	key += "\n" + string(f.After)
	all := f
	for all.of != nil {
		all = all.of
	}
	all.mu.Lock()
	defer all.mu.Unlock()
	if all.text != nil && all.key == key {
		return all.text, nil
	}
	text, err := encode()
	if err == nil && all.text == nil { // one of them: what is kept has a bound
		all.key, all.text = key, text
	}
	return text, err
}

// names are the jobs that the events are about, sorted.
func (f *Frame) names() []string {
	var out []string
	for _, e := range f.Events {
		if e.Job != "" {
			out = append(out, e.Job)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// jobs reads jobs, in one transaction.
func (f *Feed) jobs(ctx context.Context, names []string) ([]JobForm, error) {
	d, err := f.open(ctx)
	if err != nil {
		return nil, err
	}
	var out []JobForm
	_, err = d.AsOf(ctx, func(d *db.DB) error {
		out = nil
		pauses, err := d.Pauses(ctx)
		if err != nil {
			return err
		}
		for _, name := range names {
			j, err := d.Job(ctx, name)
			if errors.Is(err, db.ErrNoJob) {
				continue
			}
			if err != nil {
				return err
			}
			cancelled := map[string]int{}
			if j.Tasks.Failed > 0 {
				if cancelled, err = d.Cancelled(ctx, name); err != nil {
					return err
				}
			}
			out = append(out, toJobForm(j, cancelled[name], pauses.Of(name)))
		}
		return nil
	})
	return out, err
}
