package main

import (
	"runtime"

	"github.com/alecthomas/kong"

	"github.com/air-executor/air-executor/queue"
)

type versionCmd struct{}

// Help is printed below the summary.
func (*versionCmd) Help() string { return `Exit codes: 0 done; 2 wrong flags.` }

// versionFlag is --version.
type versionFlag bool

// BeforeReset prints the version and ends, whatever else is on the command line.
func (versionFlag) BeforeReset(k *kong.Kong, ui *ui) error {
	if err := (&versionCmd{}).Run(ui); err != nil {
		return err
	}
	k.Exit(exitOK)
	return nil
}

// Run prints the version.
func (*versionCmd) Run(ui *ui) error {
	v := programVersion()
	if ui.json() {
		return ui.printJSON(queue.VersionForm{Version: v, Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH})
	}
	ui.printf("air-executor %s (%s, %s/%s)\n", v, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return nil
}
