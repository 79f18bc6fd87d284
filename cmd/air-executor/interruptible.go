package main

import "context"

// interruptible returns the result of read, unless the command is interrupted before:
// reading a pipe or a terminal may block forever. In that case the read is abandoned,
// and ends with the process.
func interruptible[T any](ctx context.Context, read func() (T, error)) (T, error) {
	if ctx.Done() == nil {
		return read() // a signal ends the process
	}
	type result struct {
		value T
		err   error
	}
	done := make(chan result, 1)
	go func() {
		value, err := read()
		done <- result{value, err}
	}()
	select {
	case r := <-done:
		return r.value, r.err
	case <-ctx.Done():
		var none T
		return none, ctx.Err()
	}
}
