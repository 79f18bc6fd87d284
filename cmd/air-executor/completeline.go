package main

import (
	"context"

	"github.com/alecthomas/kong"

	"github.com/air-executor/air-executor/db"
)

// completeLine is the command with which the scripts ask what may come next. Its
// argument is the command line up to the cursor.
const completeLine = "complete-line"

// answerShell prints what may come next on a command line: the kind of it, and
// then a word a line.
func answerShell(ui *ui, ws *workspace, model *kong.Application, line string) error {
	words := splitLine(line)
	if len(words) < 2 {
		words = append(words, "")
	}
	c := complete(model, words[1:], &storedNames{ws})
	ui.printf("%s\n", c.kind)
	for _, w := range c.words {
		ui.printf("%s\n", w)
	}
	return ui.unprinted
}

// storedNames looks up names in the database of the base path.
type storedNames struct{ ws *workspace }

// mostNames is how many names a shell is offered.
const mostNames = 500

func (s *storedNames) in(basePath string) { s.ws.globals.BasePath = basePath }

func (s *storedNames) jobs(prefix string) []string {
	return s.look(func(d *db.DB) ([]string, error) { return d.JobNames(context.Background(), prefix, mostNames) })
}

func (s *storedNames) tasks(job, prefix string) []string {
	return s.look(func(d *db.DB) ([]string, error) { return d.TaskIDs(context.Background(), job, prefix, mostNames) })
}

func (s *storedNames) schedules(prefix string) []string {
	return s.look(func(d *db.DB) ([]string, error) { return d.ScheduleNames(context.Background(), prefix, mostNames) })
}

func (s *storedNames) pools(prefix string) []string {
	return s.look(func(d *db.DB) ([]string, error) {
		pools, err := d.Pools(context.Background(), false)
		var names []string
		for _, p := range pools {
			names = append(names, p.Name)
		}
		return beginning(names, prefix), err
	})
}

// look asks the database. Without one there is nothing to offer, and errors are
// ignored.
func (s *storedNames) look(ask func(*db.DB) ([]string, error)) []string {
	d, err := s.ws.openExisting()
	if err != nil {
		return nil
	}
	defer d.Close()
	names, err := ask(d)
	if err != nil {
		return nil
	}
	return names
}
