package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/air-executor/air-executor/config"
	"github.com/air-executor/air-executor/internal/basepath"
)

// writeConfig writes a configuration file with the defaults into the base path, or to
// the path of --config, and returns its path.
func writeConfig(ws *workspace) (string, error) {
	path := override(ws.globals.ConfigArg, "AIR_EXECUTOR_CONFIG").Value
	if path == "" {
		conf, err := ws.config()
		if err != nil {
			return "", err
		}
		path = filepath.Join(conf.BasePath, config.FileName)
		if _, err := basepath.Make(conf.BasePath); err != nil {
			return "", err
		}
	} else if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return "", err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, os.ErrExist) {
		return "", fmt.Errorf("%s exists already", path)
	}
	if err != nil {
		return "", err
	}
	if ws.conf != nil { // in the base path
		basepath.Give(f)
	}
	if _, err := f.Write(config.Template()); err != nil {
		f.Close()
		return "", err
	}
	return path, f.Close()
}
