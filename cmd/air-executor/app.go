package main

import (
	"context"
	"os"
)

// app is the program. A command's Run takes the parts of it that it needs, the context
// of the workspace, arguments and signals.
type app struct {
	*ui
	*workspace
	signals signals
}

// arguments is the command line without the program, as it was given: the parser does
// not say where -- was.
type arguments []string

// newApp is the program before its flags are read.
func newApp(args []string) *app {
	u := &ui{out: os.Stdout, err: os.Stderr, asJSON: jsonWanted(wantsJSON(args))}
	return &app{ui: u, workspace: &workspace{ctx: context.Background(), ui: u}}
}
