package main

import (
	"os"
	"syscall"
	"testing"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/manager"
)

// A signal that ends the context of the command before the manager listens must
// not be lost between the two.
func TestASignalToAManagerThatIsAboutToListenIsNotLost(t *testing.T) {
	ctx, signals, stop := catchSignals(t.Context())
	defer stop()
	if err := syscall.Kill(os.Getpid(), syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	<-ctx.Done()
	stops := manager.NewStops()
	<-stopOnSignals(signals, stops)
	if how := <-stops; how != manager.AsAsked {
		t.Errorf("Ctrl-C stops it with %q", how)
	}
}

func TestWhatSignalsAskOfAManager(t *testing.T) {
	signals := make(chan os.Signal, 8)
	stops := manager.NewStops()
	// SIGHUP, which says that the log was moved, comes first and does nothing.
	for _, s := range []os.Signal{syscall.SIGHUP, syscall.SIGTERM, os.Interrupt, syscall.SIGHUP, os.Interrupt} {
		signals <- s
	}
	stopOnSignals(signals, stops)
	for i, want := range []db.Stop{manager.Terminate, manager.AsAsked, db.StopKill} {
		if how := <-stops; how != want {
			t.Errorf("request %d is %q, want %q", i+1, how, want)
		}
	}
	close(signals)
}
