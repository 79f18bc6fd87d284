package queue

import (
	"context"
	"os"
	"path/filepath"
	"strings"

	"github.com/air-executor/air-executor/config"
	"github.com/air-executor/air-executor/jobfolder"
)

// importedBefore says where the files of a path in the base path are now, if they were
// imported and moved away. The path is that of a job that is in the database, or that
// of all jobs. For any other path it returns "".
func importedBefore(ctx context.Context, conf *config.Config, path string) string {
	base := conf.BasePath
	abs, err := filepath.Abs(path)
	if err != nil {
		return ""
	}
	moved := filepath.Join(base, jobfolder.ImportedName)
	switch jobs := filepath.Join(base, jobfolder.JobsName); {
	case abs == base, abs == jobs, filepath.Join(abs, config.DefaultBasePath) == base:
		if folders, _ := filepath.Glob(filepath.Join(globEscape(moved), "*", "*")); len(folders) > 0 {
			return "all jobs were imported before; their files are in " + moved
		}
	case filepath.Dir(abs) == jobs:
		if to := movedTo(ctx, conf, moved, filepath.Base(abs)); to != "" {
			return "was imported before; its files are in " + to
		}
	}
	return ""
}

// movedTo returns the newest folder below moved that has the files of a folder, if the
// database still has its job; else "".
func movedTo(ctx context.Context, conf *config.Config, moved, name string) string {
	pattern := filepath.Join(globEscape(moved), "*", globEscape(name))
	folders, _ := filepath.Glob(pattern)
	again, _ := filepath.Glob(pattern + ".[0-9]*")
	folders = append(folders, again...)
	d, err := openExisting(ctx, conf)
	if err != nil {
		return "" // the import itself will say why
	}
	defer d.Close()
	newest, at := "", int64(0)
	for _, folder := range folders {
		j, err := jobfolder.ReadState(folder)
		if err != nil {
			continue
		}
		if _, err := d.Job(ctx, j.Name); err != nil {
			continue
		}
		if info, err := os.Stat(folder); err == nil && info.ModTime().UnixNano() >= at {
			newest, at = folder, info.ModTime().UnixNano()
		}
	}
	return newest
}

// globEscape returns a pattern that matches only this path.
func globEscape(path string) string {
	return strings.NewReplacer(`*`, `\*`, `?`, `\?`, `[`, `\[`, `\`, `\\`).Replace(path)
}
