package main

// ofEvents are safeguards of the feed of events and of its cursors.
var ofEvents = []mutant{
	{
		name:    "the newest event is pruned",
		changes: []change{{"db/eventread.go", `min(bound, newest.ID-1), most)`, `newest.ID, most)`}},
		test:    inConformance("EventsArePruned"),
		shows:   "pruned",
	},
	{
		name:    "events are pruned that a reader has not seen",
		changes: []change{{"db/eventread.go", `WHERE name LIKE 'read %'`, `WHERE name LIKE 'no %'`}},
		test:    inConformance("EventsArePruned"),
		shows:   "pruned",
	},
	{
		name:    "a cursor of another copy is taken",
		changes: []change{{"db/eventread.go", `	case !found || strconv.FormatInt(at.At, 36) != words[2]:`, `	case !found:`}},
		test:    inConformance("EventCursors"),
		shows:   "zz",
	},
	{
		name:    "a cursor of another database is taken",
		changes: []change{{"db/eventread.go", `	if words[0] != epoch {`, `	if words[0] == "" {`}},
		test:    inConformance("EventCursors"),
		shows:   "00000000",
	},
	{
		name:    "a number is given twice",
		changes: []change{{"db/dialect.go", `max(id) AS id FROM task UNION ALL SELECT number FROM mark WHERE name = 'task'`, `max(id) AS id FROM task UNION ALL SELECT number FROM mark WHERE name = 'tasks'`}},
		test:    inConformance("EventsNameWhatIsGone"),
		shows:   "given twice",
	},
	{
		name:    "a job that is gone gives its number to the next",
		changes: []change{{"db/dialect.go", `number FROM mark WHERE name = 'job'`, `number FROM mark WHERE name = 'jobs'`}},
		test:    inConformance("EventsNameWhatIsGone"),
		shows:   "about job",
	},
	{
		name:    "what is reset has no event",
		changes: []change{{"db/reset.go", `	if err := t.eventOf(TasksReset, j.ID, onlyOne(which.Tasks), out.Reset); err != nil {`, `	if err := t.eventOf(TasksReset, j.ID, "", 0); err != nil {`}},
		test:    inConformance("RandomOperationsKeepTheRules"),
		shows:   "a list that was kept by the events",
	},
	{
		name:    "what is given back has no event",
		changes: []change{{"migrations/sqlite/00004_events.sql", `AFTER DELETE ON attempt WHEN old.status = 'running'`, `AFTER DELETE ON attempt WHEN old.status = 'pending'`}},
		test:    inConformance("EventsOfReturnsAndRetries"),
		shows:   "tasks.reset",
	},
	{
		name:    "a task that is tried again has no event",
		changes: []change{{"migrations/sqlite/00004_events.sql", `WHEN new.kind = 'retry'`, `WHEN new.kind = 'never'`}},
		test:    inConformance("EventsOfReturnsAndRetries"),
		shows:   "task.retrying",
	},
	{
		name:    "a task that is skipped has no event",
		changes: []change{{"migrations/sqlite/00004_events.sql", `WHEN new.reason = 'skipped' AND`, `WHEN new.reason = 'never' AND`}},
		test:    inConformance("ListsAreKeptByEvents"),
		shows:   "a list that was kept by the events",
	},
	{
		name: "a list is not of the instant of its cursor",
		changes: []change{{"db/eventread.go", `		then.within = t
`, ``}},
		test:  inConformance("ListsAsOfACursor"),
		shows: "pending tasks",
	},
	{
		name:    "a listener that is too slow is not told",
		changes: []change{{"queue/events.go", `		case behind && l.caughtUp && l.o.Resync:`, `		case behind && !l.caughtUp && l.o.Resync:`}},
		test:    test{"./queue", "", "TestAListenerFallsBehind"},
		shows:   "the one that is behind",
	},
	{
		name:    "a frame is left out",
		changes: []change{{"queue/events.go", `			return kept, nil, false`, `			return f.ring[len(f.ring)-1], nil, false`}},
		test:    test{"./queue", "", "TestAListenerFallsBehind"},
		shows:   "from the middle",
	},
}
