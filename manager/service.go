package manager

import (
	"context"
	"errors"
)

// service is a part of the manager that runs in its own goroutine while the manager
// serves. Services share no variables; they send each other messages.
type service interface {
	// Run works until ctx ends, and then releases its resources. The cause is
	// errStopped if all is well. If Run returns an error before that, the manager
	// stops.
	Run(ctx context.Context) error
}

// errStopped is returned by the service that was told to stop the manager.
var errStopped = errors.New("the manager stops")

// serve runs the services until one of them returns an error, or ctx ends. Then it
// stops them one after the other, in order, and returns that error.
func serve(ctx context.Context, services []service) error {
	failed := make(chan error, len(services))
	ends := make([]func(error), len(services))
	for i, s := range services {
		own, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			if err := s.Run(own); err != nil {
				failed <- err
			}
		}()
		ends[i] = func(why error) { cancel(why); <-ended }
	}
	var err error
	why := errStopped
	select {
	case err = <-failed:
		why = err
	case <-ctx.Done():
		err = ctx.Err()
	}
	for _, end := range ends {
		end(why)
	}
	if errors.Is(err, errStopped) {
		return nil
	}
	return err
}
