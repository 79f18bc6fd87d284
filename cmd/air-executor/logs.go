package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/internal/basepath"
	"github.com/air-executor/air-executor/job"
	"github.com/air-executor/air-executor/runner"
)

type logsCmd struct {
	jobArg
	Task    string `short:"t" placeholder:"ID" predictor:"task" help:"Only this task; the default is all that have started."`
	Tail    signed `short:"n" default:"50" help:"How many lines of each task, from its end; 0 for all (${default})."`
	Follow  bool   `short:"f" help:"Go on printing what is written, until the job or task has ended."`
	Attempt signed `placeholder:"N" help:"An earlier attempt of the task."`
}

// Help is printed below the summary.
func (*logsCmd) Help() string {
	return `Prints what tasks have written to stdout and stderr. On a terminal, control characters other than colours are made visible.

Exit codes: 0 done; 1 error; 2 wrong flags or configuration; 4 no such job, task or attempt; 130 interrupted.`
}

// Run prints logs.
func (c *logsCmd) Run(a *app) error {
	name, err := c.required()
	if err != nil {
		return err
	}
	switch {
	case c.Tail < 0:
		return usage(fmt.Errorf("--tail %d is negative", c.Tail), "")
	case c.Attempt != 0 && c.Task == "":
		return usage(errors.New("--attempt needs --task"), "")
	case c.Follow && a.json():
		return usage(errors.New("--follow and --json do not go together"), "")
	}
	d, err := a.openExisting()
	if err != nil {
		return err
	}
	defer d.Close()
	logs, err := c.find(a, d, name)
	if err != nil {
		return err
	}
	if a.json() {
		return c.printJSON(a, logs)
	}
	p := &logPrinter{out: a.out, clean: isTerminal(a.out), titles: c.Task == ""}
	for _, l := range logs {
		if err := p.tail(l, int(c.Tail)); err != nil {
			return err
		}
	}
	if !c.Follow {
		return nil
	}
	return c.follow(a, d, name, p, logs)
}

// taskLog is the log of one attempt.
type taskLog struct {
	task    string
	attempt int
	status  job.Status
	path    string
	read    int64 // bytes printed so far
}

// find lists the logs to print, in the order in which the tasks were queued.
func (c *logsCmd) find(a *app, d *db.DB, name string) ([]*taskLog, error) {
	if c.Task != "" {
		t, err := d.Task(a.ctx, name, c.Task)
		if err != nil {
			return nil, err
		}
		n := int(c.Attempt)
		if n < 0 || n > t.Attempts {
			return nil, fail(exitNoSuch, fmt.Errorf("no such attempt: %d of task %q, which had %d", n, c.Task, t.Attempts), "")
		}
		l := newTaskLog(a, t)
		if n != 0 && n != t.Attempts {
			l.attempt, l.path = n, runner.OldLogPath(a.conf.BasePath, name, c.Task, n)
		}
		return []*taskLog{l}, nil
	}
	var logs []*taskLog
	err := d.EachTask(a.ctx, name, func(t job.Task) error {
		if t.Attempts > 0 {
			logs = append(logs, newTaskLog(a, t))
		}
		return nil
	})
	return logs, err
}

func newTaskLog(a *app, t job.Task) *taskLog {
	return &taskLog{task: t.ID, attempt: t.Attempts, status: t.Status, path: runner.LogPath(a.conf.BasePath, t.Job, t.ID)}
}

// printJSON prints an object for each log.
func (c *logsCmd) printJSON(a *app, logs []*taskLog) error {
	type logJSON struct {
		Task    string     `json:"task"`
		Attempt int        `json:"attempt"`
		Status  job.Status `json:"status"`
		Path    string     `json:"path"`
		Log     string     `json:"log"`
	}
	out := make([]logJSON, len(logs))
	for i, l := range logs {
		var b bytes.Buffer
		if err := (&logPrinter{out: &b}).tail(l, int(c.Tail)); err != nil {
			return err
		}
		out[i] = logJSON{l.task, l.attempt, l.status, l.path, b.String()}
	}
	return a.printJSON(out)
}

// follow prints what is added, and the logs of tasks that start meanwhile.
func (c *logsCmd) follow(a *app, d *db.DB, name string, p *logPrinter, logs []*taskLog) error {
	known := map[string]*taskLog{}
	for _, l := range logs {
		known[fmt.Sprint(l.task, "\x00", l.attempt)] = l
	}
	for {
		// What stands at the end is read after the end is known.
		over, err := c.over(a, d, name)
		if err != nil {
			return err
		}
		now, err := c.find(a, d, name)
		if err != nil {
			return err
		}
		for _, l := range now {
			key := fmt.Sprint(l.task, "\x00", l.attempt)
			if known[key] == nil {
				known[key] = l
			}
			if err := p.rest(known[key]); err != nil {
				return err
			}
		}
		if over {
			return nil
		}
		if err := pause(a.ctx, 2*watchEvery); err != nil {
			return err
		}
	}
}

// over reports whether nothing will be added.
func (c *logsCmd) over(a *app, d *db.DB, name string) (bool, error) {
	if c.Task != "" {
		t, err := d.Task(a.ctx, name, c.Task)
		return t.Status.Ended(), err
	}
	j, err := d.Job(a.ctx, name)
	return ended(j), err
}

// pause waits, or returns the reason why there is no time to.
func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// logPrinter prints logs one after the other.
type logPrinter struct {
	out    io.Writer
	clean  bool   // make control characters visible
	titles bool   // name the task whenever another one's output begins
	last   string // whose output came last
	broken bool   // and it did not end its line
}

// tail prints the last lines of a log, or all for 0.
func (p *logPrinter) tail(l *taskLog, lines int) error {
	f, err := openForReading(l.path)
	if f == nil || err != nil {
		return err
	}
	defer f.Close()
	start := int64(0)
	if lines > 0 {
		if start, err = tailStart(f, lines); err != nil {
			return err
		}
	}
	return p.copyFrom(l, f, start)
}

// rest prints what has been added to a log since.
func (p *logPrinter) rest(l *taskLog) error {
	f, err := openForReading(l.path)
	if f == nil || err != nil {
		return err
	}
	defer f.Close()
	return p.copyFrom(l, f, l.read)
}

func (p *logPrinter) copyFrom(l *taskLog, f *os.File, start int64) error {
	if _, err := f.Seek(start, io.SeekStart); err != nil {
		return err
	}
	l.read = start
	const block = 64 << 10
	buf := make([]byte, block+1)
	for {
		n, err := f.Read(buf[:block])
		if n > 0 && p.clean && buf[n-1] == beforeC1 {
			more, _ := f.Read(buf[n : n+1])
			if n += more; more == 0 {
				n-- // it is not known yet what it begins
			}
		}
		if n > 0 {
			l.read += int64(n)
			if err := p.print(l, buf[:n]); err != nil {
				return err
			}
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

func (p *logPrinter) print(l *taskLog, b []byte) error {
	if p.titles && p.last != l.task {
		lead := ""
		if p.broken {
			lead = "\n"
		}
		if _, err := fmt.Fprintf(p.out, "%s==> %s <==\n", lead, l.task); err != nil {
			return err
		}
	}
	p.last, p.broken = l.task, b[len(b)-1] != '\n'
	if p.clean {
		b = visible(b)
	}
	_, err := p.out.Write(b)
	return err
}

// openForReading opens a log, or returns nil if there is none.
func openForReading(path string) (*os.File, error) {
	f, err := basepath.Open(path, os.O_RDONLY, 0)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	return f, err
}

// tailStart finds where the last lines begin, reading backwards in blocks.
func tailStart(f *os.File, lines int) (int64, error) {
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	const most = 64 << 10
	buf := make([]byte, most)
	end := info.Size()
	for pos := end; pos > 0; {
		n := min(pos, most)
		pos -= n
		if _, err := f.ReadAt(buf[:n], pos); err != nil && err != io.EOF {
			return 0, err
		}
		for i := n - 1; i >= 0; i-- {
			// The newline at the very end closes the last line.
			if buf[i] == '\n' && pos+i != end-1 {
				if lines--; lines == 0 {
					return pos + i + 1, nil
				}
			}
		}
	}
	return 0, nil
}

// beforeC1 is the first byte of the control characters U+0080 to U+009F, of
// which some do to a terminal what ESC and another character do.
const beforeC1 = 0xc2

// visible makes control characters harmless for a terminal: all but newline,
// tab and the sequences that set colours are written as ^X, or by their number.
func visible(b []byte) []byte {
	out := make([]byte, 0, len(b))
	for i := 0; i < len(b); i++ {
		c := b[i]
		switch {
		case c == '\n' || c == '\t':
			out = append(out, c)
		case c == '\r' && i+1 < len(b) && b[i+1] == '\n':
		case c == 0x1b:
			if n := colourSequence(b[i:]); n > 0 {
				out = append(out, b[i:i+n]...)
				i += n - 1
			} else {
				out = append(out, '^', '[')
			}
		case c < 0x20 || c == 0x7f:
			out = append(out, '^', c^0x40)
		case c == beforeC1 && i+1 < len(b) && b[i+1] >= 0x80 && b[i+1] < 0xa0:
			i++
			out = fmt.Appendf(out, `\u%04x`, b[i])
		default:
			out = append(out, c)
		}
	}
	return out
}

// colourSequence is the length of the sequence ESC [ digits ; … m at the start
// of b, or 0.
func colourSequence(b []byte) int {
	if len(b) < 3 || b[1] != '[' {
		return 0
	}
	for i := 2; i < len(b); i++ {
		switch c := b[i]; {
		case c == 'm':
			return i + 1
		case c != ';' && (c < '0' || c > '9'):
			return 0
		}
	}
	return 0
}
