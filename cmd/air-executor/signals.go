package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

// signals are requests to end a command, see catchSignals; nil: signals end the
// process.
type signals <-chan os.Signal

// catchSignals returns a context that ends with the first signal that asks the command
// to end, and a channel of those signals, for a command that has more to do then. The
// signal that ended the context is in the channel already. If the channel is not read,
// it keeps the first few.
func catchSignals(ctx context.Context) (context.Context, signals, context.CancelFunc) {
	const few = 8
	heard, passed, done := make(chan os.Signal, few), make(chan os.Signal, few), make(chan struct{})
	ctx, cancel := context.WithCancel(ctx)
	signal.Notify(heard, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	go func() {
		defer close(done)
		defer close(passed)
		for s := range heard {
			select {
			case passed <- s:
			default:
			}
			cancel()
		}
	}()
	return ctx, passed, func() {
		signal.Stop(heard)
		close(heard)
		<-done
		cancel()
	}
}
