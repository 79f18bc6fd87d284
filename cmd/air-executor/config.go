package main

import (
	"github.com/air-executor/air-executor/queue"
)

type configCmd struct {
	Show  configShowCmd  `cmd:"" help:"Show every setting, its value, and where it came from."`
	Check configCheckCmd `cmd:"" help:"Check the configuration file."`
	Init  configInitCmd  `cmd:"" help:"Write a config.yaml with every setting and its default."`
}

// Help is printed below the summary.
func (*configCmd) Help() string {
	return `Exit codes: 0 done; 1 not written; 2 wrong flags, or the configuration is wrong.`
}

type configShowCmd struct{}

func (*configShowCmd) configured() {}

// Help is printed below the summary.
func (*configShowCmd) Help() string {
	return `Exit codes: 0 done; 2 the configuration is wrong.`
}

// Run shows the configuration in force.
func (*configShowCmd) Run(ui *ui, ws *workspace) error {
	conf, err := ws.config()
	if err != nil {
		return err
	}
	if ui.json() {
		return ui.printJSON(queue.Settings(conf))
	}
	g := grid{head: []string{"Key", "Value", "Source"}}
	for _, s := range conf.Settings() {
		g.add(s.Key, s.Value, s.Source)
	}
	return g.print(ui.out, 0) // a truncated path would be useless
}

type configCheckCmd struct{}

func (*configCheckCmd) configured() {}

// Help is printed below the summary.
func (*configCheckCmd) Help() string {
	return `Exit codes: 0 the configuration is right; 2 it is wrong, and the message says where.`
}

// Run checks the configuration.
func (*configCheckCmd) Run(ui *ui, ws *workspace) error {
	conf, err := ws.config()
	if err != nil {
		return err
	}
	if ui.json() {
		return ui.printJSON(queue.ConfigCheckedForm{File: queue.OrNull(conf.File), OK: true})
	}
	if conf.File == "" {
		ui.printf("no configuration file; the defaults are in force\n")
		return nil
	}
	ui.printf("%s: OK\n", conf.File)
	return nil
}

type configInitCmd struct{}

func (*configInitCmd) configured() {}

// Help is printed below the summary.
func (*configInitCmd) Help() string {
	return `Never overwrites a file.

Exit codes: 0 written; 1 not written; 2 wrong flags or configuration.`
}

// Run writes a configuration file into the base path, or to the path of --config.
func (*configInitCmd) Run(ui *ui, ws *workspace) error {
	path, err := writeConfig(ws)
	if err != nil {
		return err
	}
	if ui.json() {
		return ui.printJSON(queue.ConfigFileForm{File: path})
	}
	ui.printf("%s\n", path)
	return nil
}
