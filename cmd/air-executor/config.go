package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"github.com/air-executor/air-executor/config"
	"github.com/air-executor/air-executor/internal/basepath"
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
		var out []queue.SettingForm
		for _, s := range conf.Settings() {
			out = append(out, queue.SettingForm{Key: s.Key, Value: typed(s.Value), Default: typed(s.Default), Source: s.Source})
		}
		return ui.printJSON(out)
	}
	g := grid{head: []string{"Key", "Value", "Source"}}
	for _, s := range conf.Settings() {
		g.add(s.Key, s.Value, s.Source)
	}
	return g.print(ui.out, 0) // a path that is cut is none
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
	ui.printf("%s is right\n", conf.File)
	return nil
}

type configInitCmd struct{}

func (*configInitCmd) configured() {}

// Help is printed below the summary.
func (*configInitCmd) Help() string {
	return `Never overwrites a file.

Exit codes: 0 written; 1 not written; 2 wrong flags or configuration.`
}

// Run writes a configuration file into the base path, or where --config says.
func (*configInitCmd) Run(ui *ui, ws *workspace) error {
	path := override(ws.globals.ConfigArg, "AIR_EXECUTOR_CONFIG").Value
	if path == "" {
		conf, err := ws.config()
		if err != nil {
			return err
		}
		path = filepath.Join(conf.BasePath, config.FileName)
		if _, err := basepath.Make(conf.BasePath); err != nil {
			return err
		}
	} else if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, os.ErrExist) {
		return fmt.Errorf("%s exists already", path)
	}
	if err != nil {
		return err
	}
	if ws.conf != nil { // in the base path
		basepath.Give(f)
	}
	if _, err := f.Write(config.Template()); err != nil {
		f.Close()
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	if ui.json() {
		return ui.printJSON(queue.ConfigFileForm{File: path})
	}
	ui.printf("%s\n", path)
	return nil
}

// typed is a YAML scalar as a number, a boolean or a string.
func typed(text string) any {
	if n, err := strconv.Atoi(text); err == nil {
		return n
	}
	if b, err := strconv.ParseBool(text); err == nil && (text == "true" || text == "false") {
		return b
	}
	if s, err := strconv.Unquote(text); err == nil {
		return s
	}
	return text
}
