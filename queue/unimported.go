package queue

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/air-executor/air-executor/config"
	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/job"
	"github.com/air-executor/air-executor/jobfolder"
)

// mostFolders is how many folders Unimported looks at, so that nobody waits for it.
const mostFolders = 1000

// Unimported returns the folders with state.json or tasks.json in the base path whose
// jobs the database does not have. If d is nil, the database is opened if necessary and
// if it exists. Unreadable files are skipped, and
// all of them if there are more than 1,000 folders beside an open database: then these
// are of jobs that have run.
func Unimported(ctx context.Context, conf *config.Config, d *db.DB) []string {
	f, err := os.Open(filepath.Join(conf.BasePath, jobfolder.JobsName))
	if err != nil {
		return nil
	}
	defer f.Close()
	entries, err := f.ReadDir(mostFolders + 1)
	if err != nil || d != nil && len(entries) > mostFolders {
		return nil
	}
	slices.SortFunc(entries, func(a, b os.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	var known map[string]bool // folders of the jobs in the database; nil: not asked yet
	if d != nil {
		if known, err = knownFolders(ctx, conf, d); err != nil {
			return nil
		}
	}
	var out []string
	for _, e := range entries {
		folder := filepath.Join(conf.BasePath, jobfolder.JobsName, e.Name())
		if known[e.Name()] || !e.IsDir() || !jobfolder.Is(folder) {
			continue
		}
		if known == nil {
			if known, err = knownFolders(ctx, conf, d); err != nil {
				return nil
			}
		}
		if known[e.Name()] {
			continue
		}
		// A folder may have another name than the job in it.
		if j, err := jobfolder.ReadState(folder); err == nil && known[job.FolderName(j.Name)] {
			continue
		}
		out = append(out, folder)
	}
	return out
}

func knownFolders(ctx context.Context, conf *config.Config, d *db.DB) (map[string]bool, error) {
	known := map[string]bool{}
	if d == nil {
		var err error
		d, err = openExisting(ctx, conf)
		if errors.Is(err, db.ErrNoDatabase) {
			return known, nil
		}
		if err != nil {
			return nil, err
		}
		defer d.Close()
	}
	names, err := d.JobNames(ctx, "", math.MaxInt32)
	if err != nil {
		return nil, fmt.Errorf("list the jobs: %w", err)
	}
	for _, name := range names {
		known[job.FolderName(name)] = true
	}
	return known, nil
}
