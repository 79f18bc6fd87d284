package main

import (
	"context"
	"os"
)

// app is the program, of which a command's Run gets what it needs: the parts, the
// context of the workspace, arguments and signals.
type app struct {
	*ui
	*workspace
	signals signals
}

// arguments is the command line without the program, as it was given: the parser does
// not tell where -- was.
type arguments []string

// newApp is the program before its flags are read.
func newApp(args []string) *app {
	u := &ui{out: os.Stdout, err: os.Stderr, asJSON: jsonWanted(wantsJSON(args))}
	return &app{ui: u, workspace: &workspace{ctx: context.Background(), ui: u}}
}
