package main

// inTraces is a test of the spans that are sent.
func inTraces(name string) test { return test{"./traces", "", name} }

// ofTraces are safeguards of spans.
var ofTraces = []mutant{
	{
		name: "spans that could not be sent are passed over",
		changes: []change{{"traces/send.go", `	a, err := s.client.Do(r)
	if err != nil {
		return 0, err
	}`, `	a, err := s.client.Do(r)
	if err != nil {
		return 0, nil
	}`}},
		test:  inTraces("TestACollectorThatWasDownGetsWhatItMissed"),
		shows: "it is noticed",
	},
	{
		name:    "what was sent is not noted",
		changes: []change{{"traces/export.go", `moved && (sent ||`, `moved && (sent && e.every < 0 ||`}},
		test:    inTraces("TestACollectorThatWasDownGetsWhatItMissed"),
		shows:   "it is noted",
	},
	{
		name: "what is refused for good is sent for ever",
		changes: []change{{"traces/send.go", `		return 0, nil
	}
	if err != nil {`, `		return 0, fmt.Errorf("it answers %s", a.Status)
	}
	if err != nil {`}},
		test:  inTraces("TestWhatTheCollectorAnswers"),
		shows: "spans of",
	},
	{
		name:    "the collector is asked earlier than it wants",
		changes: []change{{"traces/send.go", `max(delay/2+rand.N(delay), min(asked, maxAsked))`, `max(delay/2+rand.N(delay), min(asked, 1))`}},
		test:    inTraces("TestWhatTheCollectorAnswers"),
		shows:   "was asked for",
	},
	{
		name:    "a redirect takes the headers elsewhere",
		changes: []change{{"traces/send.go", `return http.ErrUseLastResponse`, `return nil`}},
		test:    inTraces("TestWhatTheCollectorAnswers"),
		shows:   "307",
	},
	{
		name:    "a span is sent that its parent does not want",
		changes: []change{{"traces/export.go", `e.spanOf(&ended[i]); sampled {`, `e.spanOf(&ended[i]); sampled || i >= 0 {`}},
		test:    inTraces("TestSpansNestAndRetriesAreLinked"),
		shows:   "unsampled",
	},
	{
		name:    "a place keeps events that nobody reads",
		changes: []change{{"db/eventread.go", `	return d.setPlace(ctx, "at "+name, at)`, `	return d.setPlace(ctx, "read "+name, at)`}},
		test:    inConformance("EventsArePruned"),
		shows:   "the other",
	},
	{
		name:    "the ids of a span tell the token",
		changes: []change{{"internal/traceparent/traceparent.go", `ID: hex.EncodeToString(sum[16:24]), Flags: sampled}`, `ID: token[:min(16, len(token))], Flags: sampled}`}},
		test:    test{"./internal/traceparent", "", "TestAnAttemptBeginsATrace"},
		shows:   "tells of the token",
	},
	{
		name:    "what started the manager is above all tasks",
		changes: []change{{"runner/environment.go", `without(withoutOwn(env), traceparent.Variables)`, `withoutOwn(env)`}},
		test:    test{"./runner", "", "TestTheTraceOfATask"},
		shows:   "with the manager's",
	},
}
