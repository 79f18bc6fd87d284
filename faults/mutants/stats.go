package main

// ofStatistics are safeguards of what is counted from the events.
var ofStatistics = []mutant{
	{
		name:    "how far events were counted is not noted",
		changes: []change{{"db/fold.go", `		err = f.t.mark("read "+statsReader, to)`, `		_ = f.t.mark`}},
		test:    inConformance("EventsAreCountedBeforeTheyArePruned"),
		shows:   "no event was deleted",
	},
	{
		name: "events are counted from where somebody else was before",
		changes: []change{{"db/fold.go", `	at, err := f.t.foldedTo()
	if err != nil {
		return false, err
	}
	newest`, `	at, err := f.t.foldedTo()
	if err != nil {
		return false, err
	}
	at = max(at-3, 0)
	newest`}},
		test:  inDB("TestEventsCountOnceWhoeverIsKilledWhileFolding"),
		shows: "ended, want 720",
	},
	{
		name:    "events are pruned before statistics have ever been counted",
		changes: []change{{"migrations/sqlite/00006_stats.sql", `VALUES ('read stats', 0)`, `VALUES ('stats', 0)`}},
		test:    inConformance("EventsAreCountedBeforeTheyArePruned"),
		shows:   "events were deleted",
	},
	{
		name:    "every command is counted on its own",
		changes: []change{{"db/fold.go", `if !f.commands[name] && len(f.commands) >= commandsKept {`, `if name == "" {`}},
		test:    inConformance("ManyCommandsAreCountedAsOne"),
		shows:   "1010 names",
	},
	{
		name:    "a reset task has waited since it was queued",
		changes: []change{{"db/reset.go", `append([]any{t.now}, args...)`, `append([]any{nil}, args...)`}},
		test:    inConformance("AWaitBeginsWhenATaskCouldHaveRun"),
		shows:   "reset: it waited",
	},
	{
		name:    "the sums of a removed job go on",
		changes: []change{{"db/fold.go", `		f.gone[name] = true`, `		_ = f.gone`}},
		test:    inConformance("TheSumsOfARemovedJobBeginAnew"),
		shows:   "Counted",
	},
	{
		name:    "each address is a route of its own",
		changes: []change{{"api/meters.go", `		o.route = path`, `		o.route = r.URL.Path`}},
		test:    inAPI("TestRequestsMakeFewSeries"),
		shows:   "-want +got",
	},
	{
		name:    "each method is a label",
		changes: []change{{"api/meters.go", `		method = "other"`, `		method = "" + method`}},
		test:    inAPI("TestRequestsMakeFewSeries"),
		shows:   "-want +got",
	},
}
