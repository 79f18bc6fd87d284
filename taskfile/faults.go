package taskfile

import (
	"errors"
	"io"
	"strings"

	"github.com/air-executor/air-executor/job"
)

// Faults reads tasks as SpecReader does, to their end or until there are as many faults
// as most, and returns all that is wrong with them: with each task by itself, what check
// says of it (a key, and what is wrong; nil: nothing), ids that occur twice unless twice
// is true, and one cycle. A dependency on a task that is not there is no fault. Tasks is
// how many there were. An error that is no fault, as reading failed, is returned as err.
func Faults(file string, r io.Reader, twice bool, most int, check func(*job.Spec) (key string, err error)) (faults []*Error, tasks int, err error) {
	f := &faultFinder{in: NewSpecReader(file, r), twice: twice, check: check}
	s := &f.in.in
	for len(f.all) < most {
		err := s.next()
		if err == io.EOF {
			break
		}
		var at *Error
		switch {
		case err == nil:
			tasks++
			f.task()
		case !errors.As(err, &at):
			return f.all, tasks, err
		default:
			f.all = append(f.all, at)
			if !s.passable(at) {
				return f.all, tasks, nil
			}
			tasks++
			s.err = nil
		}
	}
	if len(f.all) == 0 {
		var at *Error
		if err := f.graph.cycle(file); errors.As(err, &at) {
			f.all = append(f.all, at)
		}
	}
	return f.all, tasks, nil
}

// faultFinder collects what is wrong with tasks.
type faultFinder struct {
	in    *SpecReader
	twice bool
	check func(*job.Spec) (string, error)
	graph graph
	all   []*Error
}

// task looks at the current object.
func (f *faultFinder) task() {
	o := &f.in.in.o
	var t job.Task
	wrong := taskKeys.mistakes(o, inLines, &t)
	if len(wrong) == 0 {
		wrong = f.whole(&t.Spec)
	}
	for _, m := range wrong {
		at := f.in.in.at(m.key, m.err)
		if m.on > 0 {
			at.Line = m.on
		}
		f.all = append(f.all, at)
	}
}

// whole looks at a task whose keys are right.
func (f *faultFinder) whole(s *job.Spec) (wrong []*mistake) {
	note := func(key string, err error) {
		var m *mistake
		switch {
		case errors.As(err, &m):
			wrong = append(wrong, m)
		case err != nil:
			wrong = append(wrong, &mistake{key: key, err: err})
		}
	}
	note("", checkSelf(s))
	if s.RunIf == job.RunOnFailure && len(s.Dependencies)+len(s.AfterAny) == 0 {
		note("run_if", errNoneToFail)
	}
	if f.check != nil {
		note(f.check(s))
	}
	if len(wrong) == 0 {
		note("", s.Check())
	}
	if s.ID == "" || len(wrong) > 0 {
		return wrong
	}
	line := f.in.in.o.line()
	if err := f.graph.add(graphTask{index: f.in.in.index, own: line, line: line}, s); !f.twice {
		note("id", err)
	}
	return wrong
}

// mistakes is object for those who want to know of all of them.
func (t table[T]) mistakes(o *members, in form, to *T) (all []*mistake) {
	note := func(key string, err error) {
		var m *mistake
		if err != nil && !errors.As(err, &m) {
			m = &mistake{key: key, err: err}
		}
		if err != nil {
			all = append(all, m)
		}
	}
	r := reading[T]{table: t, in: in, to: to}
	var unknown []int
	for i := range o.list {
		known, err := r.key(o.list[i].key, o.value(i), i)
		note(string(o.list[i].key), err)
		if !known {
			unknown = append(unknown, i)
		}
	}
	for _, i := range unknown {
		note("", r.refuseUnknown(string(o.list[i].key), o.lineOfKey(i)))
	}
	if len(unknown) == 0 {
		note("", r.end(o.lineOfKey))
	}
	return all
}

// passable reports whether what follows can be read in spite of a fault: the JSON is
// right, and it is about one element.
func (s *stream) passable(e *Error) bool {
	return e.Index >= 0 && (e.Column == 0 && !errors.Is(e, errNotUTF8) || strings.HasPrefix(e.Msg, "want an object, got"))
}

// AllFaults is the error about everything that is wrong with a job file, see
// JobOptions.All.
type AllFaults []*Error

// Error is the first one.
func (a AllFaults) Error() string { return a[0].Error() }

// errNoted is the error about what was noted already.
var errNoted = errors.New("it is wrong")

// mostNoted is how many faults of a job file are noted.
const mostNoted = 100

// also is nil for an error that was noted, so that reading can go on: all that is wrong
// is wanted. Else it is the error.
func (r *jobReader) also(err error) error {
	if err == nil || r == nil || !r.options.All || r.single || len(r.faults) >= mostNoted {
		return err
	}
	if !errors.Is(err, errNoted) {
		r.faults = append(r.faults, r.convert(err))
	}
	return nil
}

// noted is errNoted if there are more faults than there were.
func (r *jobReader) noted(before int) error {
	if r != nil && len(r.faults) > before {
		return errNoted
	}
	return nil
}

// before is how many faults there are.
func (r *jobReader) before() int {
	if r == nil {
		return 0
	}
	return len(r.faults)
}

// known makes tasks whose keys are wrong count as there: others may depend on them.
func (r *jobReader) known(wrong map[int]string) {
	for index, id := range wrong {
		if _, is := r.groups[id]; id != "" && !is {
			_ = r.graph.add(graphTask{index: index}, &job.Spec{ID: id}) // it may be there twice, which is said of the other
		}
	}
}

// refuseFiles refuses what is for files only.
func (r *jobReader) refuseFiles(head jobHead) error {
	if !r.options.Sent {
		return nil
	}
	if len(head.envFiles) > 0 {
		err := r.also(&mistake{key: "env_file", on: head.lines["env_file"], err: errors.New("is for job files; give env in defaults")})
		if err != nil {
			return err
		}
	}
	if head.schedule != nil {
		return r.also(&mistake{key: "schedule", on: head.lines["schedule"], err: errors.New("is for job files; a schedule is added by itself")})
	}
	return nil
}
