package queue

import (
	"context"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/job"
)

// How much of what runs and of what has failed a summary has.
const (
	summaryRunning  = 100
	summaryFailures = 10
	summaryMinutes  = 60
)

// SummaryForm is what is to be seen at one look.
type SummaryForm struct {
	Jobs         JobTotalsForm    `json:"jobs"`
	Tasks        TaskTotalsForm   `json:"tasks"`
	Slots        SlotsForm        `json:"slots"`
	Running      []RunningForm    `json:"running"`       // oldest first, not more than 100
	LastFailures []FailureForm    `json:"last_failures"` // newest first, not more than 10
	LastHour     []MinuteForm     `json:"last_hour"`     // oldest first; the last minute has not ended
	Manager      ManagerStateForm `json:"manager"`
	PausedAt     *string          `json:"paused_at"` // since when all jobs are paused; null: they are not
}

// JobTotalsForm counts jobs by state.
type JobTotalsForm struct {
	Total     int `json:"total"`
	Waiting   int `json:"waiting"`
	Working   int `json:"working"`
	Completed int `json:"completed"`
	Failed    int `json:"failed"`
}

// TaskTotalsForm counts tasks by status; blocked ones are a part of the pending.
type TaskTotalsForm struct {
	Total     int `json:"total"`
	Pending   int `json:"pending"`
	Running   int `json:"running"`
	Completed int `json:"completed"`
	Failed    int `json:"failed"`
	Dismissed int `json:"dismissed"`
	Blocked   int `json:"blocked"`
}

// SlotsForm is how many tasks run at once. A task that waits for others takes no slot.
type SlotsForm struct {
	Used  int `json:"used"`
	Limit int `json:"limit"`
}

// RunningForm is an attempt that runs.
type RunningForm struct {
	Key       int64   `json:"key"`
	Job       string  `json:"job"`
	Task      string  `json:"task"`
	Attempt   int     `json:"attempt"`
	StartedAt string  `json:"started_at"`
	Cancelled bool    `json:"cancelled"` // it was asked to end
	FrozenAt  *string `json:"frozen_at"`
}

// FailureForm is an attempt that has failed.
type FailureForm struct {
	Key     int64  `json:"key"`
	Job     string `json:"job"`
	Task    string `json:"task"`
	Attempt int    `json:"attempt"`
	EndForm
	CompletedAt string  `json:"completed_at"`
	LastLine    *string `json:"last_line"` // of its log; null: there is none, or a large one was compressed
}

// MinuteForm counts the attempts that have ended in a minute.
type MinuteForm struct {
	From      string `json:"from"`
	Completed int    `json:"completed"`
	Failed    int    `json:"failed"`
}

// ManagerStateForm is whether a manager serves.
type ManagerStateForm struct {
	Running      bool    `json:"running"`
	PID          *int    `json:"pid"`
	Host         *string `json:"host"`
	StartedAt    *string `json:"started_at"`
	Stop         *string `json:"stop"`    // how it was asked to stop
	Trouble      *string `json:"trouble"` // why it starts nothing
	TroubleSince *string `json:"trouble_since"`
}

// LastHour remembers how many attempts have ended in minutes that are over, so that a
// summary counts the newest ones only. It may be used by several goroutines.
type LastHour struct {
	mu      sync.Mutex
	minutes map[int64]MinuteForm
}

// settled is how old a minute is whose attempts are all stored.
const settled = 2 * time.Minute

// count counts what has ended in the minutes of the last hour.
func (h *LastHour) count(ctx context.Context, d *db.DB, now time.Time) ([]MinuteForm, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	known := map[int64]MinuteForm{}
	out := make([]MinuteForm, summaryMinutes)
	for i := range out {
		from := now.Truncate(time.Minute).Add(time.Duration(i-summaryMinutes+1) * time.Minute)
		m, is := h.minutes[from.Unix()]
		if !is {
			all, failed, err := d.CountEnded(ctx, from, from.Add(time.Minute))
			if err != nil {
				return nil, err
			}
			m = MinuteForm{job.FormatTime(from), all - failed, failed}
		}
		if now.Sub(from) >= settled {
			known[from.Unix()] = m
		}
		out[i] = m
	}
	h.minutes = known
	return out, nil
}

// Summary reads the summary, and the cursor of the events. The last hour is kept in h.
func (q *Queue) Summary(ctx context.Context, h *LastHour) (*SummaryForm, string, error) {
	s := &Status{Places: q.conf.MaxConcurrentRunners, queue: q}
	var out *SummaryForm
	var failures []db.Ended
	at, err := q.AsOf(ctx, func(q *Queue) (err error) {
		s.queue = q
		if err := s.readBeside(ctx); err != nil {
			return err
		}
		if s.Totals, err = q.DB.Totals(ctx); err != nil {
			return err
		}
		parked, err := q.DB.Parked(ctx)
		if err != nil {
			return err
		}
		p, err := q.DB.HistoryPage(ctx, db.HistoryPageQuery{HistoryQuery: db.HistoryQuery{Failed: true, Limit: summaryFailures}, Started: true})
		if err != nil {
			return err
		}
		failures, out = p.Items, s.summary(parked)
		return s.ReadManager(ctx)
	})
	if err != nil {
		return nil, "", err
	}
	// What has ended a minute ago does not change, so it need not be of that instant.
	if out.LastHour, err = h.count(ctx, q.DB, time.Now().UTC()); err != nil {
		return nil, "", err
	}
	out.Manager = s.managerState()
	for _, e := range failures {
		out.LastFailures = append(out.LastFailures, FailureForm{
			Key: e.Key, Job: e.Job, Task: e.Task, Attempt: e.Number, EndForm: toEndForm(&e.Attempt),
			CompletedAt: job.FormatTime(e.EndedAt), LastLine: OrNull(q.lastLine(ctx, &e)),
		})
	}
	return out, string(at), nil
}

// summary is what has been read in its form.
func (s *Status) summary(parked int) *SummaryForm {
	c, jobs := s.Totals.Tasks, s.Totals.Jobs
	out := &SummaryForm{
		Jobs: JobTotalsForm{
			s.Totals.Count(), jobs[job.StateWaiting], jobs[job.StateWorking], jobs[job.StateCompleted], jobs[job.StateFailed],
		},
		Tasks:    TaskTotalsForm{c.Total(), c.Pending, c.Running, c.Completed, c.Failed, c.Dismissed, s.Totals.Blocked},
		Slots:    SlotsForm{len(s.Active) - parked, s.Places},
		Running:  []RunningForm{},
		PausedAt: instant(s.Pauses.All), LastFailures: []FailureForm{},
	}
	for _, a := range s.Active[:min(len(s.Active), summaryRunning)] {
		out.Running = append(out.Running, RunningForm{
			Key: a.Key(), Job: a.Job, Task: a.Task, Attempt: a.Number, StartedAt: job.FormatTime(a.StartedAt), Cancelled: a.Cancelled,
			FrozenAt: instant(s.Pauses.Frozen[db.FrozenTask{Job: a.Job, Task: a.Task}]),
		})
	}
	return out
}

func (s *Status) managerState() (out ManagerStateForm) {
	m := s.Manager
	if m == nil {
		return out
	}
	out = ManagerStateForm{
		Running: true, PID: &m.PID, Host: &m.Host, StartedAt: instant(m.StartedAt), Stop: OrNull(string(m.Stop)), Trouble: OrNull(s.Trouble),
	}
	if s.Trouble != "" {
		out.TroubleSince = instant(s.Since)
	}
	return out
}

// How much of a log is read for its last line, and of the line shown; bytes. A
// compressed log is unpacked only if it has fewer than so many.
const (
	lastRead   = 4 << 10
	lastShown  = 300
	lastPacked = 256 << 10
)

// lastLine is the last line of a log that says something, or "".
func (q *Queue) lastLine(ctx context.Context, e *db.Ended) string {
	attempts, err := q.DB.Attempts(ctx, e.Job, e.Task)
	if err != nil || e.Number > len(attempts) {
		return ""
	}
	f := &LogFile{Complete: true}
	if err := q.findLog(f, attempts, attempts[e.Number-1]); err != nil || f.file == nil {
		return ""
	}
	defer f.Close()
	if info, err := f.file.Stat(); err != nil || f.packed && info.Size() >= lastPacked || f.measure() != nil {
		return ""
	}
	b := make([]byte, min(f.Size, lastRead))
	n, _ := f.ReadAt(b, f.Size-int64(len(b)))
	text := strings.TrimRight(string(b[:n]), "\r\n\t ")
	return cutLine(text[strings.LastIndexByte(text, '\n')+1:], lastShown)
}

// cutLine is text of at most so many bytes, as valid UTF-8.
func cutLine(text string, most int) string {
	if len(text) > most {
		for most > 0 && !utf8.RuneStart(text[most]) {
			most--
		}
		text = text[:most]
	}
	return strings.ToValidUTF8(text, "\uFFFD")
}
