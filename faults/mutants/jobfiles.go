package main

// inTaskfile is a test of what is read from files.
func inTaskfile(name string) test { return test{"./taskfile", "", name} }

// ofJobFiles are rules of job files, of unique keys and of labels.
var ofJobFiles = []mutant{
	{
		name:    "a unique key keeps nobody out",
		changes: []change{{"db/add.go", `if held, err := a.holder(s.Unique); held != "" || err != nil {`, `if held, err := a.holder(s.Unique); held == " " || err != nil {`}},
		test:    inConformance("ATaskWithAKeyIsStoredOnceUntilItHasEnded"),
		shows:   "want 1, new: false",
	},
	{
		name:    "a running task has lost its unique key",
		changes: []change{{"db/unique.go", `return !h.Status.Ended()`, `return h.Status == job.Pending`}},
		test:    inConformance("ATaskWithAKeyIsStoredOnceUntilItHasEnded"),
		shows:   "want 1, new: false",
	},
	{
		name:    "a task that has ended keeps its unique key",
		changes: []change{{"db/unique.go", `return !h.Status.Ended()`, `return true`}},
		test:    inConformance("ATaskWithAKeyIsStoredOnceUntilItHasEnded"),
		shows:   "want 3, new: true",
	},
	{
		name:    "a task that has started keeps the key of a pending one",
		changes: []change{{"db/unique.go", `return h.Status == job.Pending && h.Attempts == 0`, `return !h.Status.Ended()`}},
		test:    inConformance("AKeyOfAPendingTaskIsFreeOnceItStarts"),
		shows:   "want 2, new: true",
	},
	{
		name:    "a unique key ends before its time",
		changes: []change{{"db/unique.go", `return now < h.CreatedAt+h.UniqueFor`, `return now+1 < h.CreatedAt+h.UniqueFor`}},
		test:    inConformance("AKeyIsKeptForATime"),
		shows:   "want 1, new: false",
	},
	{
		name:    "the labels of a removed task are left to the next one",
		changes: []change{{"db/remove.go", "	`DELETE FROM label WHERE (job, task) IN (SELECT job, id FROM task WHERE id = ?)`,\n", ``}},
		test:    inConformance("LabelsAreReadReplacedAndRemoved"),
		shows:   "labels",
	},
	{
		name: "a dependency on a foreach is one on its first task",
		changes: []change{{"taskfile/jobtasks.go", `			of = g.ids
`, `			of = g.ids[:min(1, len(g.ids))]
`}},
		test:  inTaskfile("TestForeach"),
		shows: "glob-b.png",
	},
	{
		name:    "two items of a foreach make one id",
		changes: []change{{"taskfile/foreach.go", `if !taken[full] && (`, `if (`}},
		test:    inTaskfile("TestForeach"),
		shows:   `both make it "list-a"`,
	},
	{
		name: "an unknown name in a template is nothing",
		changes: []change{{"taskfile/template.go", `	return "", fmt.Errorf("nothing is called %s; parameters:`, `	return "", nil
	return "", fmt.Errorf("nothing is called %s; parameters:`}},
		test:  inTaskfile("TestBrokenTemplates"),
		shows: "want a *taskfile.Error",
	},
	{
		name: "a check runs the commands of the file",
		changes: []change{{"cmd/air-executor/standin.go", `taskfile.JobOptions{Params: params, Check: true}`, `taskfile.JobOptions{Params: params, Check: len(params) == 0, Output: queue.Output(ctx)}`}, {"cmd/air-executor/standin.go", `	"github.com/air-executor/air-executor/taskfile"
)`, `	"github.com/air-executor/air-executor/queue"
	"github.com/air-executor/air-executor/taskfile"
)`}},
		test:  inStories("validate"),
		shows: "there is nothing to do",
	},
}
