package main

import (
	"github.com/air-executor/air-executor/taskfile"
)

type schemaCmd struct {
	Name string `arg:"" optional:"" placeholder:"NAME" enum:"job,enqueue,tasks,state" default:"job" type:"word" words:"job,enqueue,tasks,state" help:"job, enqueue, tasks or state; the default is job."`
}

// Help is printed below the summary.
func (*schemaCmd) Help() string {
	return `Prints the JSON Schema of a kind of file, for editors and for programs that write such files: of job files (job), of files for enqueue --from-file (enqueue), of tasks.json (tasks), or of state.json (state).

    air-executor schema > job.schema.json

Exit codes: 0 done; 2 wrong flags.`
}

// Run prints the schema, which is JSON in any case.
func (c *schemaCmd) Run(ui *ui) error {
	schema, err := taskfile.JSONSchema(c.Name)
	if err != nil {
		return err
	}
	ui.printf("%s", schema)
	return nil
}
