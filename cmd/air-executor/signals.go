package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

// signals are those that ask for the end of a command, see catchSignals; nil: they end
// the process.
type signals <-chan os.Signal

// catchSignals returns a context that ends with the first signal which asks for
// the end of a command, and those signals, each once, for a command that has more
// to do than to end. One that has ended the context is in the channel by then. If
// nobody takes them out, the channel keeps the first few.
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
