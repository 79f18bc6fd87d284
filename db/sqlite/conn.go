package sqlite

import (
	"context"
	"errors"
	"sync"

	"github.com/jmoiron/sqlx"

	"github.com/air-executor/air-executor/db/engine"
)

// conn is one connection, used by one transaction at a time. Its place is that in
// conns.all, and until it is opened, the connection itself is nil.
type conn struct {
	engine.Conn
	busy bool
}

func (c *conn) isOpen() bool { return c.Conn.Conn != nil }

// MaxReaders is how many transactions that read go on at once in one process,
// beside the one that writes.
const MaxReaders = 3

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
	all     [1 + MaxReaders]conn
}

func newConns(pool *sqlx.DB) *conns {
	c := &conns{pool: pool, turn: make(chan struct{}, 1), reading: make(chan struct{}, MaxReaders)}
	for i := range c.all {
		c.all[i] = conn{Conn: engine.Conn{Place: i, Stmts: map[string]*sqlx.Stmt{}}}
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
	if one.isOpen() {
		return one, nil
	}
	err := patient(ctx, func() (err error) {
		one.Conn.Conn, err = c.pool.Connx(ctx)
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
		if one.isOpen() {
			next = one
			break
		}
		if next == nil || one.Place < next.Place {
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

// Connections is how many connections are open.
func (c *conns) Connections() int { return c.pool.Stats().OpenConnections }

// close closes the connections. One that is in use is left to the end of the
// process.
func (c *conns) close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	var errs []error
	for i := range c.all {
		one := &c.all[i]
		if one.busy || !one.isOpen() {
			continue
		}
		for _, s := range one.Stmts {
			errs = append(errs, s.Close())
		}
		errs = append(errs, one.Conn.Conn.Close())
	}
	return errors.Join(append(errs, c.pool.Close())...)
}
