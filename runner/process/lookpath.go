package process

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// lookPath finds the program that a shell would run for this name: if it contains a
// slash, that path, relative to dir; otherwise the first executable of that name in the
// PATH of env. (exec.LookPath uses the PATH of this process.)
func lookPath(name, dir string, env []string) (string, error) {
	if strings.Contains(name, "/") {
		path := name
		if !filepath.IsAbs(path) {
			path = filepath.Join(dir, path)
		}
		return path, executable(path)
	}
	var denied error
	for _, d := range filepath.SplitList(getenv(env, "PATH")) {
		if !filepath.IsAbs(d) {
			d = filepath.Join(dir, d)
		}
		path := filepath.Join(d, name)
		err := executable(path)
		if err == nil {
			return path, nil
		}
		if errors.Is(err, fs.ErrPermission) && denied == nil {
			denied = err
		}
	}
	if denied != nil {
		return "", denied
	}
	if strings.ContainsAny(name, " \t|&;<>$") {
		return "", fmt.Errorf("%s: command not found in PATH; a line of shell is run with sh -c", name)
	}
	return "", fmt.Errorf("%s: command not found in PATH", name)
}

// executable returns why the file at path cannot be run, or nil.
func executable(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return fmt.Errorf("%s: %w", path, errors.Unwrap(err))
	}
	if info.IsDir() {
		return fmt.Errorf("%s: is a directory", path)
	}
	// For root, access(2) fails only if no user may execute the file.
	if unix.Access(path, unix.X_OK) != nil {
		return fmt.Errorf("%s: %w: it is not executable", path, fs.ErrPermission)
	}
	return nil
}

// getenv returns the value of the last setting of key.
func getenv(env []string, key string) string {
	for i := len(env) - 1; i >= 0; i-- {
		if v, ok := strings.CutPrefix(env[i], key+"="); ok {
			return v
		}
	}
	return ""
}
