package main

import (
	"context"
	"os"
)

// app is the program as a command of many parts needs it. Others take from it what
// they use.
type app struct {
	*ui
	*workspace
	args    []string         // command line, without the program
	signals <-chan os.Signal // see catchSignals; nil: signals end the process
}

// newApp is the program before its flags are read.
func newApp(args []string) *app {
	u := &ui{out: os.Stdout, err: os.Stderr, asJSON: jsonWanted(wantsJSON(args))}
	return &app{ui: u, workspace: &workspace{ctx: context.Background(), ui: u}, args: args}
}
