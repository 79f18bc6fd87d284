package traces

import (
	"path"
	"strconv"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/internal/traceparent"
	"github.com/air-executor/air-executor/job"
)

// spanOf says what is sent of an attempt, and whether it is to be sent. Arguments,
// environment and error texts are not: they may hold secrets.
func (e *Exporter) spanOf(a *db.EndedAttempt) (span, bool) {
	place := traceparent.Of(a.Token, a.Env)
	name := path.Base(a.Command)
	s := span{
		TraceID: place.Trace, SpanID: place.ID, Parent: place.Parent, TraceState: place.State, Flags: knowsRemote | uint32(place.Flags),
		Name: Text("", name).text, Kind: kindInternal,
		Start: nanoseconds(a.StartedAt.UnixNano()), End: nanoseconds(max(a.EndedAt.UnixNano(), a.StartedAt.UnixNano())),
	}
	if place.Parent != "" {
		s.Flags |= remote
	}
	run := strconv.FormatInt(a.AttemptKey.Task, 10) + "." + strconv.Itoa(a.Number)
	s.Attributes = []Attribute{
		Text("cicd.pipeline.name", a.Job),
		Text("cicd.pipeline.task.name", a.Task),
		Text("cicd.pipeline.task.run.id", run),
		Text("cicd.pipeline.task.run.result", result(&a.Result)),
		Text("process.executable.name", name),
		Number("process.args_count", int64(a.Arguments)+1),
		Text("host.name", a.Host),
		Number("air_executor.attempt", int64(a.Number)),
		Text("air_executor.status", string(a.Result.Status)),
	}
	if e.options.TaskURL != nil {
		s.Attributes = append(s.Attributes, Text("cicd.pipeline.task.run.url.full", e.options.TaskURL(a.AttemptKey.Task)))
	}
	if a.Result.ExitCode != nil {
		s.Attributes = append(s.Attributes, Number("process.exit.code", int64(*a.Result.ExitCode)))
	}
	if a.Result.Signal != "" {
		s.Attributes = append(s.Attributes, Text("air_executor.signal", a.Result.Signal))
	}
	if a.Result.Status == job.Failed {
		s.Attributes = append(s.Attributes, Text("error.type", string(a.Result.Reason)))
		s.Status = status{Code: statusError, Message: string(a.Result.Reason)}
	}
	if a.Before != "" {
		before := traceparent.Of(a.Before, a.Env)
		s.Links = []link{{
			TraceID: before.Trace, SpanID: before.ID, TraceState: before.State, Flags: knowsRemote | remote | uint32(before.Flags),
			Attributes: []Attribute{Number("air_executor.attempt", int64(a.Number)-1)},
		}}
	}
	return s, place.Sampled()
}

// result is what the conventions of OpenTelemetry call the end of a task run.
func result(r *job.Result) string {
	switch {
	case r.Status == job.Completed:
		return "success"
	case r.Reason == job.TimedOut:
		return "timeout"
	case r.Reason == job.Cancelled:
		return "cancellation"
	case r.Reason == job.Lost || r.Reason == job.NotStarted: // not for what the command did
		return "error"
	}
	return "failure"
}
