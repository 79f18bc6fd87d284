package main

import (
	"context"

	"github.com/air-executor/air-executor/taskfile"
)

// standIn reads a job file without running what is in it.
func standIn(ctx context.Context, path string, params []string) (*taskfile.JobFile, error) {
	return interruptible(ctx, func() (*taskfile.JobFile, error) {
		return taskfile.LoadJobWith(path, taskfile.JobOptions{Params: params, Check: true})
	})
}
