// Command linked does nothing. It is linked with the libraries of air-executor,
// and so shows what of a command's time is the start of such a process.
package main

import (
	_ "github.com/alecthomas/kong"
	_ "github.com/jedib0t/go-pretty/v6/table"
	_ "github.com/lmittmann/tint"
	_ "golang.org/x/term"

	_ "github.com/air-executor/air-executor/manager"
	_ "github.com/air-executor/air-executor/taskfile"
)

func main() {}
