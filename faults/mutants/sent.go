package main

// ofWhatIsSent are safeguards of what is added over HTTP.
var ofWhatIsSent = []mutant{
	{
		name:    "what was done with a key is done again",
		changes: []change{{"db/once.go", `	return &Answered{was.Body}`, `	return nil`}},
		test:    inAPI("TestWhatIsAddedWithAKeyIsAddedOnce"),
		shows:   "add_test.go",
	},
	{
		name:    "a key is good for something else",
		changes: []change{{"db/once.go", `was.Digest != o.Digest`, `was.Digest == "x"`}},
		test:    inAPI("TestWhatIsAddedWithAKeyIsAddedOnce"),
		shows:   "want 409",
	},
	{
		name:    "an answer is kept for ever",
		changes: []change{{"db/once.go", `old := t.now - AnswersKept.Microseconds()`, `old := t.now - 99*AnswersKept.Microseconds()`}},
		test:    inDB("TestWhatIsDoneOnceIsForgottenAfterDays"),
		shows:   "after",
	},
	{
		name:    "a relative directory is one of the server",
		changes: []change{{"api/add.go", `t.Dir != "" && t.Dir[0] != '/'`, `t.Dir == "/"`}},
		test:    inAPI("TestAllThatIsWrongWithTasksIsNamed"),
		shows:   "add_test.go",
	},
	{
		name:    "a job that is sent runs a command to find its items",
		changes: []change{{"taskfile/jobtasks.go", `r.options.Sent && !f.list`, `r.options.Sent && f.list`}},
		test:    inAPI("TestAllThatIsWrongWithAJobIsNamed"),
		shows:   "add_test.go",
	},
	{
		name:    "the environment of a task that is sent is nothing but what it says",
		changes: []change{{"runner/environment.go", `env[0] == job.OnManager:`, `env[0] == job.OnManager && env[0] == "x":`}},
		test:    test{"./runner", "", "TestVariablesComeOnTopOfTheEnvironmentOfTheManager"},
		shows:   "environment",
	},
	{
		name:    "a label of a task is one of its job, and the job is cancelled",
		changes: []change{{"queue/labels.go", `return !is || f.Value != nil && value != *f.Value`, `return is && f.Value != nil && value != *f.Value`}},
		test:    inAPI("TestJobsWithALabelAreCancelled"),
		shows:   "steering_test.go",
	},
	{
		name:    "a task that is edited gets a relative directory",
		changes: []change{{"api/edit.go", `s.Dir != "" && !filepath.IsAbs(s.Dir)`, `s.Dir == "x" && filepath.IsAbs(s.Dir)`}},
		test:    inAPI("TestTasksAreSteered"),
		shows:   "steering_test.go",
	},
}
