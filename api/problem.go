package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/queue"
)

// kindOfProblem is an error as RFC 9457 has it: each has a page at /problems/NAME.
type kindOfProblem struct {
	name   string
	status int
	title  string
	help   string // what its page says
}

// The problems. A new one is a line here and in problems.
var (
	badParameter   = kindOfProblem{"bad-parameter", 400, "Wrong parameter", "A parameter has a value that it cannot have, or there is no such parameter. The field errors names each."}
	badBody        = kindOfProblem{"bad-body", 400, "The body cannot be read", "The body is not JSON."}
	invalid        = kindOfProblem{"invalid", 422, "The body is wrong", "The body is JSON, but says something wrong. Nothing was stored. The field errors has all that is wrong."}
	unauthorized   = kindOfProblem{"unauthorized", 401, "Who are you?", "Send the text of api.token in the base path: Authorization: Bearer TOKEN. Or open the address that air-executor open prints."}
	forbidden      = kindOfProblem{"forbidden", 403, "Not with this token", "The token, or the session that was made with it, may only read."}
	readOnly       = kindOfProblem{"read-only", 403, "The server changes nothing", "It was started with --read-only."}
	crossOrigin    = kindOfProblem{"cross-origin", 403, "Sent by another site", "A page of another site has made the browser send this. Nothing was done."}
	notFound       = kindOfProblem{"not-found", 404, "Not found", "There is nothing at this address."}
	noSuchJob      = kindOfProblem{"no-such-job", 404, "No such job", "It does not exist, or was removed."}
	noSuchTask     = kindOfProblem{"no-such-task", 404, "No such task", "It does not exist, or was removed."}
	noSuchPool     = kindOfProblem{"no-such-pool", 404, "No such pool", "It does not exist, or was removed."}
	noSuchSchedule = kindOfProblem{"no-such-schedule", 404, "No such schedule", "It does not exist, or was removed."}
	noSuchAttempt  = kindOfProblem{"no-such-attempt", 404, "No such attempt", "The task has not been started so often."}
	wrongMethod    = kindOfProblem{"wrong-method", 405, "Wrong method", "The header Allow has the methods of this address."}
	notAcceptable  = kindOfProblem{"not-acceptable", 406, "Not in this form", "There is no answer in a form that the header Accept allows."}
	wrongType      = kindOfProblem{"wrong-type", 415, "Wrong type of body", "A body is sent as application/json, tasks also as application/x-ndjson, and not compressed."}
	contradicts    = kindOfProblem{"contradicts", 409, "It contradicts what is done", "What was asked for does not fit to what has been done meanwhile."}
	tooLarge       = kindOfProblem{"too-large", 413, "Too large", "A body may have 1 MiB, or 64 MiB if it is application/x-ndjson."}
	keyReused      = kindOfProblem{"key-reused", 409, "The key was used for something else", "The header Idempotency-Key had this value in a request that asked for something else, within 7 days. Use a new one for each thing to be done."}
	outside        = kindOfProblem{"outside", 416, "Outside of the log", "The log has fewer bytes."}
	otherHost      = kindOfProblem{"other-host", 421, "Not the host that was asked for", "The header Host names none of the names of this server. Start it with --allowed-host NAME to serve another."}
	tooOften       = kindOfProblem{"too-often", 429, "Too often", "Try again after the time in the header Retry-After."}
	unavailable    = kindOfProblem{"unavailable", 503, "Not now", "The database is busy or its disk is full, or the server stops. Try again after the time in the header Retry-After."}
	internal       = kindOfProblem{"internal", 500, "An error of the server", "The log of the server has more."}
	cursorGone     = kindOfProblem{"cursor-gone", 410, "Nothing can be read from this cursor", "Events behind the cursor were deleted, or it is of another database or copy. Read everything anew, and go on from the cursor of what you read. The field oldest has the oldest cursor that is good."}
	badUpgrade     = kindOfProblem{"bad-upgrade", 400, "Not a WebSocket", "The headers of the upgrade are not those of a WebSocket (RFC 6455, version 13)."}
)

// problems lists all kinds.
func problems() []kindOfProblem {
	return []kindOfProblem{
		badParameter, badBody, invalid, unauthorized, forbidden, readOnly, crossOrigin, notFound, noSuchJob, noSuchTask, noSuchPool, noSuchSchedule, noSuchAttempt,
		wrongMethod, notAcceptable, wrongType, contradicts, cursorGone, badUpgrade, tooLarge, keyReused, outside, otherHost, tooOften, unavailable, internal,
	}
}

// problem is an error that is answered as it is.
type problem struct {
	kind   kindOfProblem
	detail string
	faults []Fault
	after  time.Duration // for Retry-After
	oldest db.Cursor     // that is good
}

// Error is the detail.
func (p *problem) Error() string { return p.detail }

// errorf makes a problem of this kind.
func (k kindOfProblem) errorf(format string, args ...any) *problem {
	return &problem{kind: k, detail: fmt.Sprintf(format, args...)}
}

// of returns the problem with the text of an error.
func (k kindOfProblem) of(err error) *problem { return k.errorf("%v", err) }

// toProblem translates an error of the packages below.
func toProblem(err error) *problem {
	var p *problem
	var attempt *queue.NoAttempt
	var body *http.MaxBytesError
	var cursor *db.CursorError
	switch {
	case errors.As(err, &p):
		return p
	case errors.Is(err, db.ErrNoJob):
		return noSuchJob.of(err)
	case errors.Is(err, db.ErrNoTask):
		return noSuchTask.of(err)
	case errors.As(err, &attempt):
		return noSuchAttempt.of(err)
	case errors.As(err, &body):
		return tooLarge.errorf("the body has more than %d bytes", body.Limit)
	case errors.Is(err, db.ErrNoPool):
		return noSuchPool.of(err)
	case errors.Is(err, db.ErrNoSchedule):
		return noSuchSchedule.of(err)
	case errors.Is(err, db.ErrOrder), errors.Is(err, db.ErrLimit), errors.Is(err, db.ErrEmpty), errors.As(err, new(*db.NotPending)), errors.As(err, new(*db.PoolNeeded)), errors.As(err, new(*queue.OfFile)):
		return contradicts.of(err)
	case errors.Is(err, db.ErrKeyReused):
		return keyReused.of(err)
	case errors.Is(err, db.ErrContradict), errors.Is(err, db.ErrInUse), errors.Is(err, db.ErrDuplicate), errors.Is(err, db.ErrJobExists):
		return contradicts.of(err)
	case errors.As(err, &cursor):
		return wrongCursor(cursor)
	case errors.Is(err, context.Canceled), errors.Is(err, queue.ErrFeedClosed), errors.Is(err, context.DeadlineExceeded):
		return retry(unavailable.errorf("the server stops"), time.Second)
	case errors.Is(err, db.ErrBusy), errors.Is(err, db.ErrStuck), errors.Is(err, db.ErrFull), errors.Is(err, db.ErrInDoubt),
		errors.Is(err, db.ErrReplaced), errors.Is(err, db.ErrReadOnly), errors.Is(err, db.ErrOlder), errors.Is(err, db.ErrNewer), errors.Is(err, db.ErrCorrupt):
		return retry(unavailable.of(err), 5*time.Second)
	}
	return internal.of(err)
}

// wrongCursor is the error about a cursor of the events.
func wrongCursor(err *db.CursorError) *problem {
	if !err.Gone {
		return wrongParameter("after", err.Why)
	}
	p := cursorGone.of(err)
	p.oldest = err.Oldest
	return p
}

// retry says after which time it is worth another try.
func retry(p *problem, after time.Duration) *problem {
	p.after = after
	return p
}

// form is the problem as it is answered. What is wrong inside is for the log only.
func (p *problem) form(r *http.Request) Problem {
	out := Problem{
		Type: "/problems/" + p.kind.name, Title: p.kind.title, Status: p.kind.status, Detail: p.detail, Instance: r.URL.EscapedPath(),
	}
	if p.kind.name == internal.name {
		out.Detail = p.kind.help
	}
	if p.oldest != "" {
		out.Oldest = new(string(p.oldest))
	}
	if len(p.faults) > 0 {
		out.Errors = &p.faults
	}
	return out
}

// refuse answers with an error.
func (a *API) refuse(w http.ResponseWriter, r *http.Request, err error) {
	p := toProblem(err)
	if p.kind.name == internal.name {
		a.log.Error("request failed", "method", r.Method, "path", r.URL.EscapedPath(), "error", err)
	}
	if p.after > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(p.after.Seconds())))
	}
	if p.kind.status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", "Bearer")
	}
	a.write(w, p.kind.status, "application/problem+json", p.form(r))
}
