package main

// ofTheFeed are safeguards of the feed of events over HTTP.
var ofTheFeed = []mutant{
	{
		name:    "a page of another site opens a socket",
		changes: []change{{"api/origin.go", `		if upgrades(r) {`, `		if upgrades(r) && r.Method == "" {`}},
		test:    inAPI("TestWhoMayOpenASocket"),
		shows:   "does not have the status 403", // the library still refuses it, in words of its own
	},
	{
		name:    "a socket stays open although its token is not good any more",
		changes: []change{{"api/authenticate.go", `	return err == nil && is != nobody`, `	return err == nil || is == nobody`}},
		test:    inAPI("TestANewTokenEndsFollowers"),
		shows:   "want 1008",
	},
	{
		name:    "any number of clients follow a stream",
		changes: []change{{"api/eventstream.go", `	done, err := c.wait()`, `	done, err := func() {}, error(nil)`}},
		test:    inAPI("TestThereAreOnlySoManyFollowers"),
		shows:   "FAIL",
	},
	{
		name:    "a cursor that is too old is a wrong parameter",
		changes: []change{{"api/problem.go", `	if !err.Gone {`, `	if err != nil {`}},
		test:    inAPI("TestCursorsFromWhichNothingCanBeRead"),
		shows:   "want 410",
	},
	{
		name:    "a browser that connects again begins anew",
		changes: []change{{"api/eventstream.go", `		after = db.Cursor(last)`, `		_ = last`}},
		test:    inAPI("TestEventsAsAStream"),
		shows:   "the stream has ended",
	},
	{
		name:    "a client that was too slow is not told",
		changes: []change{{"api/eventsocket.go", `	case frame.Resync:`, `	case frame.Resync && s.at == "":`}},
		test:    inAPI("TestAClientThatStopsReading"),
		shows:   "eventsocket_test.go",
	},
	{
		name:    "what is kept for slow clients has no bound",
		changes: []change{{"queue/events.go", `bytes > feedBytes || `, `bytes < 0 || `}},
		test:    inAPI("TestAClientThatStopsReading"),
		shows:   "eventsocket_test.go",
	},
	{
		name:    "a client that does not read stays for ever",
		changes: []change{{"api/eventsocket.go", `context.WithoutCancel(s.call.Context()), s.call.api.pace.write)`, `context.WithoutCancel(s.call.Context()), 1<<60)`}},
		test:    inAPI("TestAClientThatNeverReads"),
		shows:   "eventsocket_test.go",
	},
	{
		name:    "a client follows any number of logs",
		changes: []change{{"api/subscription.go", `len(s.Logs), maxLogs}`, `len(s.Logs), len(s.Logs)}`}},
		test:    inAPI("TestAClientThatTalksNonsense"),
		shows:   "want the error invalid",
	},
	{
		name:    "a client is told what another wants",
		changes: []change{{"queue/events.go", `all.text != nil && all.key == key {`, `all.text != nil {`}},
		test:    test{"./queue", "", "TestAFrameIsWrittenOnceForEachWant"},
		shows:   "another one wants",
	},
	{
		name: "another subscription sends again what was sent",
		changes: []change{{"api/eventsocket.go", `	s.at = frame.Cursor
	return s.write(text)`, `	return s.write(text)`}},
		test:  inAPI("TestEventsOverAWebSocket"),
		shows: "after another subscription",
	},
}
