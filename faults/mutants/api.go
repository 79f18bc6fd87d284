package main

// inAPI is a test of the HTTP API.
func inAPI(name string) test { return test{"./api", "", name} }

// ofTheAPI are safeguards of the HTTP API.
var ofTheAPI = []mutant{
	{
		name:    "a page whose name was made to lead here is served",
		changes: []change{{"api/hosts.go", `if !a.serves(r.Host) {`, `if !a.serves(r.Host) && r.Host == "" {`}},
		test:    inAPI("TestAnotherHostIsRefusedBeforeAnythingElse"),
		shows:   "want 421",
	},
	{
		name:    "another site sends changes",
		changes: []change{{"api/origin.go", `guard.Check(asked); err != nil {`, `guard.Check(asked); err != nil && r.Method == "" {`}},
		test:    inAPI("TestOtherSitesCannotSendChanges"),
		shows:   "want 403",
	},
	{
		name:    "who has no token reads",
		changes: []change{{"api/authenticate.go", `	case c.role == nobody:`, `	case c.role == "x":`}},
		test:    inAPI("TestWithoutATokenNothingIsSaidOrDone"),
		shows:   "security_test.go",
	},
	{
		name:    "the read token changes jobs",
		changes: []change{{"api/authenticate.go", `	case c.role != owner:`, `	case c.role == nobody:`}},
		test:    inAPI("TestTheReadTokenChangesNothing"),
		shows:   "want 403",
	},
	{
		name:    "a server that is read-only changes jobs",
		changes: []change{{"api/authenticate.go", `c.route.access == changes && c.api.options.ReadOnly:`, `c.route.access == owns && c.api.options.ReadOnly:`}},
		test:    inAPI("TestAReadOnlyServerChangesNothing"),
		shows:   "want 403",
	},
	{
		name:    "a login code works twice",
		changes: []change{{"api/sessions.go", `	delete(s.codes, digest)`, ``}},
		test:    inAPI("TestABrowserIsLoggedInOnce"),
		shows:   "want 401",
	},
	{
		name:    "whoever writes a cookie is logged in",
		changes: []change{{"api/sessions.go", `!hmac.Equal([]byte(mac), []byte(cookie[i+1:]))`, `mac == ""`}},
		test:    inAPI("TestABrowserIsLoggedInOnce"),
		shows:   "want 401",
	},
	{
		name:    "tokens are guessed as fast as one can",
		changes: []change{{"api/sessions.go", `if len(recent) >= maxFailures {`, `if len(recent) < 0 {`}},
		test:    inAPI("TestAWrongTokenIsRefused"),
		shows:   "want 429",
	},
	{
		name:    "a token file that others read is used",
		changes: []change{{"api/tokens.go", `Perm()&0o077 != 0`, `Perm()&0o077 == 0o1000`}},
		test:    inAPI("TestTokensAreOnlyForTheirOwner"),
		shows:   "security_test.go",
	},
	{
		name:    "a path with .. in it leads elsewhere",
		changes: []change{{"api/routes.go", `at != path.Clean(at) {`, `path.Clean(at) == "" {`}},
		test:    inAPI("TestPathsAreTakenAsTheyAre"),
		shows:   "security_test.go",
	},
	{
		name:    "a compressed body is taken",
		changes: []change{{"api/limits.go", `c != "" && c != "identity"`, `c == "identity"`}},
		test:    inAPI("TestBodiesAreBounded"),
		shows:   "want 415",
	},
	{
		name:    "a body of any size is read",
		changes: []change{{"api/limits.go", `			r.Body = http.MaxBytesReader(w, r.Body, most)`, ``}},
		test:    inAPI("TestBodiesAreBounded"),
		shows:   "want 413",
	},
	{
		name:    "two servers have one base path",
		changes: []change{{"api/listen.go", `if err = l.TryLock(); errors.Is(err, lock.ErrHeld) {`, `if err = nil; errors.Is(err, lock.ErrHeld) {`}},
		test:    inAPI("TestOneServerForABasePath"),
		shows:   "security_test.go",
	},
	{
		name: "a page that a filter leaves empty is the last one",
		changes: []change{{"db/taskpage.go", `	beyond := end
`, `	beyond := end - end
`}},
		test:  inAPI("TestAPageThatAFilterLeavesEmptyGoesOn"),
		shows: "task_test.go",
	},
	{
		name:    "the log of the attempt before is taken for that of the newest",
		changes: []change{{"queue/logfile.go", `info.ModTime().Before(a.StartedAt)`, `info.ModTime().IsZero()`}},
		test:    inAPI("TestTheLogOfTheAttemptBeforeIsNotThatOfTheNewest"),
		shows:   "task_test.go",
	},
}
