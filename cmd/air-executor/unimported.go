package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/job"
	"github.com/air-executor/air-executor/jobfolder"
)

// remarkUnimported says that there are jobs of other tools in the base path
// which the database does not have, so that nobody waits for them. d may be nil:
// it is opened then, if that is worth while and it is there.
func (ws *workspace) remarkUnimported(d *db.DB) {
	if text := ws.unimported(d); text != "" {
		ws.ui.notef("%s", text)
	}
}

// unimported is the remark, or nothing.
func (ws *workspace) unimported(d *db.DB) string {
	folders := unknownFolders(ws, d)
	if len(folders) == 0 {
		return ""
	}
	names := make([]string, len(folders))
	for i, f := range folders {
		names[i] = filepath.Base(f)
	}
	is, noun := "are", "folders"
	if len(folders) == 1 {
		is, noun = "is", "folder"
	}
	return fmt.Sprintf("there %s %d job %s in %s that %s not in the database (%s); to bring them in: air-executor import",
		is, len(folders), noun, filepath.Dir(folders[0]), is, enumerate(names))
}

// unknownFolders returns the folders with state.json or tasks.json in the base
// path whose jobs the database does not have. It is a remark: what cannot be
// read is passed over.
func unknownFolders(ws *workspace, d *db.DB) []string {
	entries, err := os.ReadDir(filepath.Join(ws.conf.BasePath, jobfolder.JobsName))
	if err != nil || len(entries) == 0 {
		return nil
	}
	var known map[string]bool // folders of the jobs in the database; nil: not asked yet
	if d != nil {
		if known, err = knownFolders(ws, d); err != nil {
			return nil
		}
	}
	var out []string
	for _, e := range entries {
		folder := filepath.Join(ws.conf.BasePath, jobfolder.JobsName, e.Name())
		if known[e.Name()] || !e.IsDir() || !jobfolder.Is(folder) {
			continue
		}
		if known == nil {
			if known, err = knownFolders(ws, d); err != nil {
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

func knownFolders(ws *workspace, d *db.DB) (map[string]bool, error) {
	known := map[string]bool{}
	if d == nil {
		var err error
		d, err = db.Open(ws.ctx, ws.conf.BasePath, db.Options{Durability: ws.conf.Durability, MustExist: true})
		if exitCode(err) == exitNoSuch {
			return known, nil
		}
		if err != nil {
			return nil, err
		}
		defer d.Close()
	}
	jobs, err := d.Jobs(ws.ctx)
	if err != nil {
		return nil, fmt.Errorf("list the jobs: %w", err)
	}
	for _, j := range jobs {
		known[job.FolderName(j.Name)] = true
	}
	return known, nil
}
