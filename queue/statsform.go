package queue

import (
	"time"

	"github.com/air-executor/air-executor/job"
)

// StatsForm is the form of Stats.
type StatsForm struct {
	Since      *string       `json:"since"` // null: nothing has ended
	Until      string        `json:"until"`
	By         string        `json:"by"`
	Total      FiguresForm   `json:"sum"`
	Groups     []FiguresForm `json:"groups"`
	Throughput []PeriodForm  `json:"throughput"`
}

// FiguresForm is the form of Figures.
type FiguresForm struct {
	Job         *string         `json:"job"`     // null: not by job, or of all
	Command     *string         `json:"command"` // null: not by command, or of all
	Attempts    int             `json:"attempts"`
	Failed      int             `json:"failed"`
	WaitSeconds PercentilesForm `json:"wait_seconds"`
	RunSeconds  PercentilesForm `json:"run_seconds"`
	CPUSeconds  float64         `json:"cpu_seconds"`
	MaxRSSBytes int64           `json:"max_rss_bytes"`
	PerHour     float64         `json:"per_hour"`
}

// PercentilesForm is the form of Percentiles, in seconds; null: there are none.
type PercentilesForm struct {
	P50 *float64 `json:"p50"`
	P95 *float64 `json:"p95"`
	P99 *float64 `json:"p99"`
}

// PeriodForm is the form of a Period.
type PeriodForm struct {
	From     string  `json:"from"`
	Seconds  float64 `json:"seconds"` // how long it is
	Attempts int     `json:"attempts"`
	PerHour  float64 `json:"per_hour"`
}

// Form is the figures as JSON, with the first groups; most 0: all.
func (s *Stats) Form(byCommand bool, most int) StatsForm {
	out := StatsForm{
		Since: instant(s.Since), Until: job.FormatTime(s.Until), By: "job", Total: s.figuresForm(&s.Total),
		Groups: []FiguresForm{}, Throughput: []PeriodForm{},
	}
	if byCommand {
		out.By = "command"
	}
	for i, g := range s.Groups {
		if most > 0 && i == most {
			break
		}
		f := s.figuresForm(&g)
		if f.Job = &g.Name; byCommand {
			f.Job, f.Command = nil, &g.Name
		}
		out.Groups = append(out.Groups, f)
	}
	for _, p := range s.Periods {
		out.Throughput = append(out.Throughput, PeriodForm{job.FormatTime(p.From), s.Size.Seconds(), p.Count, s.PerHour(p.Count, s.Size)})
	}
	return out
}

func (s *Stats) figuresForm(f *Figures) FiguresForm {
	return FiguresForm{
		Attempts: f.Count, Failed: f.Failed, WaitSeconds: f.Waited().form(), RunSeconds: f.Took().form(),
		CPUSeconds: f.CPU.Seconds(), MaxRSSBytes: f.MaxRSS, PerHour: s.PerHour(f.Count, s.Span()),
	}
}

func (p Percentiles) form() (out PercentilesForm) {
	if p.Of == 0 {
		return out
	}
	seconds := func(d time.Duration) *float64 { return new(d.Seconds()) }
	return PercentilesForm{seconds(p.P50), seconds(p.P95), seconds(p.P99)}
}
