package main

import (
	"context"
	"log/slog"
	"os"
	"strconv"

	"github.com/air-executor/air-executor/api"
	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/traces"
)

// spanSource sends spans to the collector that the environment names, if it does.
type spanSource struct {
	config   *traces.Config // nil: no spans are wanted
	warnings []string
	db       *db.DB
	tasks    string // begins the addresses of tasks; empty: they have none
}

// findCollector reads the environment.
func findCollector() (*spanSource, error) {
	c, warnings, err := traces.Find(os.Getenv)
	if err != nil {
		return nil, usage(err, "")
	}
	return &spanSource{config: c, warnings: warnings}, nil
}

// of says whose attempts are sent.
func (s *spanSource) of(d *db.DB, server *api.Server) *spanSource {
	s.db = d
	if at := server.Address(); at != "" {
		s.tasks = at + "/api/v1/tasks/"
	}
	return s
}

// export begins to send, and returns a function that ends it.
func (s *spanSource) export(ctx context.Context, log *slog.Logger) (end func()) {
	for _, w := range s.warnings {
		log.Warn(w)
	}
	if s.config == nil {
		return func() {}
	}
	o := traces.Options{Config: s.config, DB: s.db, Log: log, Version: programVersion()}
	if s.tasks != "" {
		o.TaskURL = func(key int64) string { return s.tasks + strconv.FormatInt(key, 10) }
	}
	ctx, stop := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		traces.New(o).Run(ctx)
	}()
	return func() {
		stop()
		<-ended
	}
}
