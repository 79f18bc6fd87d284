package sqlite

import (
	"context"
	"errors"
	"sync"

	"github.com/jmoiron/sqlx"

	"github.com/air-executor/air-executor/db/engine"
)

// conn is one connection, used by one transaction at a time. Its place is its index in
// conns.all. Until it is opened, the connection itself is nil.
type conn struct {
	engine.Conn
	busy bool
}

func (c *conn) isOpen() bool { return c.Conn.Conn != nil }

// MaxReaders is how many read transactions one process may have at once, besides one
// that writes.
const MaxReaders = 3

// conns are the connections of a DB. At most one transaction writes; others read at the
// same time, and never wait for it. A connection is opened when all open ones are in
// use, so a process that does one thing after the other, as most do, has one connection
// for everything. Writers prefer the first connection and readers the last, so that
// their statements are already prepared.
type conns struct {
	pool    *sqlx.DB
	turn    chan struct{} // holds a value during a write transaction
	reading chan struct{} // holds a value for each read transaction
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

// enter waits for a place in the channel.
func enter(ctx context.Context, queue chan struct{}) error {
	select {
	case queue <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// toWrite returns a connection for a write transaction. The caller must hold the turn.
func (c *conns) toWrite(ctx context.Context) (*conn, error) {
	return c.take(ctx, func(i int) int { return i })
}

// toRead waits until another reader is allowed, and returns a connection.
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

// take returns the first connection, in this order, that is not in use, or opens one.
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

// choose marks a connection as in use. If all open ones are in use, it is one that must
// be opened.
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
	next.busy = true // never nil: there are as many connections as transactions
	return next
}

// free returns a connection.
func (c *conns) free(one *conn) {
	c.mu.Lock()
	one.busy = false
	c.mu.Unlock()
}

// freeReader returns a connection from toRead, and its place.
func (c *conns) freeReader(one *conn) {
	c.free(one)
	<-c.reading
}

// Connections returns how many connections are open.
func (c *conns) Connections() int { return c.pool.Stats().OpenConnections }

// close closes the connections, except those in use, which stay open until the process
// exits.
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
