package db

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/jmoiron/sqlx"
)

// conn is one connection, with the statements that were prepared on it. It is
// used by one transaction at a time.
type conn struct {
	*sqlx.Conn     // nil: not open yet
	place      int // in conns.all
	stmts      map[string]*sqlx.Stmt
	busy       bool
}

// maxReaders is how many transactions that read go on at once in one process,
// beside the one that writes.
const maxReaders = 3

// conns are the connections of a DB. One transaction at most writes; others read
// beside it, and never wait for it. A connection is opened when all that are open
// are in use: so a process that does one thing after the other, as most do, has
// one connection for everything. Those that write prefer the first, and those
// that read the last, so that each finds its statements prepared.
type conns struct {
	pool    *sqlx.DB
	turn    chan struct{} // holds a value while somebody writes
	reading chan struct{} // holds a value for each transaction that reads
	mu      sync.Mutex
	all     [1 + maxReaders]conn
}

func newConns(pool *sqlx.DB) *conns {
	c := &conns{pool: pool, turn: make(chan struct{}, 1), reading: make(chan struct{}, maxReaders)}
	for i := range c.all {
		c.all[i] = conn{place: i, stmts: map[string]*sqlx.Stmt{}}
	}
	return c
}

// enter waits for a place in a queue that has so many.
func enter(ctx context.Context, queue chan struct{}) error {
	select {
	case queue <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// toWrite returns a connection for a transaction that writes. The caller has the
// turn.
func (c *conns) toWrite(ctx context.Context) (*conn, error) {
	return c.take(ctx, func(i int) int { return i })
}

// toRead waits for a place among those that read, and returns a connection.
func (c *conns) toRead(ctx context.Context) (*conn, error) {
	if err := enter(ctx, c.reading); err != nil {
		return nil, err
	}
	taken, err := c.take(ctx, func(i int) int { return len(c.all) - 1 - i })
	if err != nil {
		<-c.reading
	}
	return taken, err
}

// take returns the first connection in an order that is not in use, or opens one.
func (c *conns) take(ctx context.Context, order func(int) int) (*conn, error) {
	one := c.choose(order)
	if one.Conn != nil {
		return one, nil
	}
	err := patient(ctx, func() (err error) {
		one.Conn, err = c.pool.Connx(ctx)
		return err
	})
	if err != nil {
		c.free(one)
		return nil, err
	}
	return one, nil
}

// choose marks a connection as in use. If all that are open are, it is the next
// one to be opened.
func (c *conns) choose(order func(int) int) *conn {
	c.mu.Lock()
	defer c.mu.Unlock()
	var next *conn
	for i := range c.all {
		one := &c.all[order(i)]
		if one.busy {
			continue
		}
		if one.Conn != nil {
			next = one
			break
		}
		if next == nil || one.place < next.place {
			next = one
		}
	}
	next.busy = true // there are as many as there can be transactions
	return next
}

// free gives a connection back.
func (c *conns) free(one *conn) {
	c.mu.Lock()
	one.busy = false
	c.mu.Unlock()
}

// freeReader gives a connection of toRead back, and its place.
func (c *conns) freeReader(one *conn) {
	c.free(one)
	<-c.reading
}

// close closes the connections. One that is in use is left to the end of the
// process.
func (c *conns) close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	var errs []error
	for i := range c.all {
		one := &c.all[i]
		if one.busy || one.Conn == nil {
			continue
		}
		for _, s := range one.stmts {
			errs = append(errs, s.Close())
		}
		errs = append(errs, one.Conn.Close())
	}
	return errors.Join(append(errs, c.pool.Close())...)
}

// busyFor is how long a lock of SQLite itself is waited for. Among programs like
// this one, such a lock is held for a moment, by a process that is the first to
// use the database, or the last. Another program that writes may keep it longer.
const busyFor = 10 * time.Second

// patient calls fn until it returns another error than ErrBusy, or none, for some
// time or until ctx ends. (SQLite's own busy_timeout knows no contexts.)
func patient(ctx context.Context, fn func() error) error {
	err := fn()
	if !errors.Is(translate(err), ErrBusy) {
		return err
	}
	const longest = 20 * time.Millisecond
	begin, pause := time.Now(), time.Millisecond
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause):
		}
		pause = min(2*pause, longest)
		if err = fn(); !errors.Is(translate(err), ErrBusy) || time.Since(begin) > busyFor {
			return err
		}
	}
}
