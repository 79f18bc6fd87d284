package queue

import (
	"context"
	"strconv"
	"time"

	"github.com/air-executor/air-executor/config"
	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/manager"
)

// StartedForm is a manager that has begun to serve.
type StartedForm struct {
	PID      int    `json:"pid"`
	BasePath string `json:"base_path"`
}

// StoppedForm is a manager that has stopped.
type StoppedForm struct {
	PID     int     `json:"pid"`
	Stopped bool    `json:"stopped"`
	How     db.Stop `json:"how"`
	Running int     `json:"running"` // tasks that still run
}

// ServingForm is one of the managers of a machine.
type ServingForm struct {
	PID       int     `json:"pid"`
	BasePath  string  `json:"base_path"`
	StartedAt *string `json:"started_at"` // null, like running, if its database cannot be read
	Running   *int    `json:"running"`    // tasks

	Started time.Time `json:"-"`
}

// Managers lists the managers of the effective user that serve a base path on this
// machine, by process number. Errors: manager.ErrNoList.
func Managers(ctx context.Context) ([]ServingForm, error) {
	all, err := manager.AllServing()
	if err != nil {
		return nil, err
	}
	list := []ServingForm{}
	for _, s := range all {
		list = append(list, serving(ctx, s))
	}
	return list, nil
}

// serving reads about a manager from its database. It opens the database as a runner
// does, which neither creates nor migrates anything. It omits what cannot be read.
func serving(ctx context.Context, s manager.Process) ServingForm {
	m := ServingForm{PID: s.PID, BasePath: s.BasePath}
	d, err := db.Open(ctx, s.BasePath, db.Options{Runner: true})
	if err != nil {
		return m
	}
	defer d.Close()
	if last, err := d.Manager(ctx); err == nil && last != nil && last.PID == s.PID {
		m.Started, m.StartedAt = last.StartedAt, instant(last.StartedAt)
	}
	if active, err := d.Active(ctx); err == nil {
		running := len(active)
		m.Running = &running
	}
	return m
}

// SettingForm is a key of the configuration, with values as YAML reads them.
type SettingForm struct {
	Key     string `json:"key"`
	Value   any    `json:"value"`
	Default any    `json:"default"`
	Source  string `json:"source"`
}

// Settings are the settings of a configuration in their form.
func Settings(conf *config.Config) (out []SettingForm) {
	for _, s := range conf.Settings() {
		out = append(out, SettingForm{Key: s.Key, Value: typed(s.Value), Default: typed(s.Default), Source: s.Source})
	}
	return out
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

// ConfigCheckedForm is a configuration in which nothing is wrong.
type ConfigCheckedForm struct {
	File *string `json:"file"` // null: there is none
	OK   bool    `json:"ok"`
}

// ConfigFileForm is a configuration file that was written.
type ConfigFileForm struct {
	File string `json:"file"`
}

// VersionForm is the version of the program.
type VersionForm struct {
	Version  string `json:"version"`
	Go       string `json:"go"`
	Platform string `json:"platform"` // such as linux/amd64
}

// AddressForm is the address of the page of a server.
type AddressForm struct {
	URL string `json:"url"` // with a login code
}
