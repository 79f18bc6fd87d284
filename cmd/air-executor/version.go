package main

import (
	"runtime"
	"runtime/debug"

	"github.com/alecthomas/kong"

	"github.com/air-executor/air-executor/queue"
)

// version is set when a release is built: -ldflags "-X main.version=1.2.3".
var version = ""

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

// programVersion is the version of the release, or of the module that was
// installed, or "development".
func programVersion() string {
	if version != "" {
		return version
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" && info.Main.Version != "(devel)" {
		return info.Main.Version
	}
	return "development"
}
