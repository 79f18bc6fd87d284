package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/queue"
)

// redraw is how often a screen is drawn even if nothing has changed, because it shows
// elapsed times.
const redraw = time.Second

// pace keeps a watch cheap: reading and drawing take at most a tenth of the time.
type pace struct{ next time.Time }

func (p *pace) due() bool { return !time.Now().Before(p.next) }

func (p *pace) done(begin time.Time) { p.next = time.Now().Add(10 * time.Since(begin)) }

// watch shows the report now and after every change, until Ctrl-C: in place on a
// terminal, otherwise one below the other.
func (c *statusCmd) watch(ctx context.Context, ui *ui, ws *workspace, q *queue.Queue) error {
	if isTerminal(ui.out) && !ui.json() {
		if c.Sort == "" && c.Task == "" {
			c.Sort = string(db.ByState)
		}
		return c.watchScreen(ctx, ui, ws, q)
	}
	ctx, check, stop := ui.whileRead(ctx)
	defer stop()
	var p pace
	for last := int64(-1); ; {
		now, err := q.DB.Changes(ctx)
		if err != nil {
			return err
		}
		if now != last && p.due() {
			begin := time.Now()
			r, err := c.read(ctx, ui, ws, q, c.query(ui))
			if err == nil && ui.json() {
				err = writeLine(ui.out, r.Form())
			} else if err == nil {
				err = r.print(ui.out, 0)
			}
			if err != nil {
				return err
			}
			last = now
			p.done(begin)
		}
		check()
		if err := queue.Pause(ctx, queue.CheckEvery); err != nil {
			return orNobody(ctx, err)
		}
	}
}

// statusScreen is a report on a terminal.
type statusScreen struct {
	command *statusCmd
	ui      *ui
	ws      *workspace
	queue   *queue.Queue
	block   block
	keys    *keyboard

	offset  int // rows above the first shown one
	rows    int // rows of the list that are shown
	last    int64
	drawn   time.Time
	width   int
	height  int
	report  *report
	pace    pace
	refresh bool // read again even if nothing has changed
}

func (c *statusCmd) watchScreen(ctx context.Context, ui *ui, ws *workspace, q *queue.Queue) error {
	s := &statusScreen{command: c, ui: ui, ws: ws, queue: q, block: block{out: ui.out}, keys: openKeyboard(os.Stdin), last: -1}
	defer s.keys.restore()
	suspend := make(chan os.Signal, 1)
	signal.Notify(suspend, syscall.SIGTSTP)
	defer signal.Stop(suspend)
	tick := time.NewTicker(queue.CheckEvery)
	defer tick.Stop()
	for {
		quit, err := s.tick()
		if err != nil || quit {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-suspend:
			s.keys.restore()
			// The Go runtime keeps its handler for SIGTSTP, so SIGSTOP stops this
			// process, until the shell continues it.
			_ = syscall.Kill(os.Getpid(), syscall.SIGSTOP)
			s.keys = openKeyboard(os.Stdin)
			s.block.lines, s.drawn = 0, time.Time{}
		case <-tick.C:
		}
	}
}

// tick handles keys, and draws if there is anything new.
func (s *statusScreen) tick() (quit bool, err error) {
	for _, k := range s.keys.pressed() {
		if k == keyQuit {
			return true, nil
		}
		s.scroll(k)
	}
	if w, h := terminalSize(s.ui.out); w != s.width || h != s.height {
		if s.width != 0 {
			s.block.reset()
		}
		s.width, s.height, s.refresh = w, h, true
	}
	now, err := s.queue.DB.Changes(s.ws.ctx)
	if err != nil {
		return false, err
	}
	begin := time.Now()
	switch {
	case s.refresh, now != s.last && s.pace.due():
		limit := max(s.height, 1)
		if n := s.command.limit(); n > 0 {
			limit = min(limit, max(n-s.offset, 1))
		}
		query := s.command.query(s.ui)
		if query.Offset, query.Limit = s.offset, limit; query.Task != "" {
			query.Offset, query.Limit = 0, 0 // its lines scroll
		}
		if s.report, err = s.command.read(s.ws.ctx, s.ui, s.ws, s.queue, query); err != nil {
			return false, err
		}
		s.last, s.refresh = now, false
	case time.Since(s.drawn) > redraw:
		// A manager that starts or stops need not change the database.
		if s.report.ReadManager(s.ws.ctx) != nil {
			return false, errors.New("cannot tell whether a manager serves")
		}
	default:
		return false, nil
	}
	s.draw()
	s.drawn = time.Now()
	s.pace.done(begin)
	return false, nil
}

// total is how many rows there are to scroll through.
func (s *statusScreen) total() int {
	if s.report == nil {
		return 0
	}
	if n := s.command.limit(); n > 0 {
		return min(n, s.report.Rows)
	}
	return s.report.Rows
}

func (s *statusScreen) scroll(k key) {
	by := map[key]int{keyUp: -1, keyDown: 1, keyPageUp: -s.rows, keyPageDown: s.rows, keyHome: -s.total(), keyEnd: s.total()}[k]
	s.offset = max(min(s.offset+by, s.total()-s.rows), 0)
	s.refresh = true
}

// draw shows the summary, the table's heading, as many rows as there is room
// for, and where they are in the list.
func (s *statusScreen) draw() {
	r := s.report
	var lines []string
	for _, text := range append([]string{r.summary()}, r.remarks()...) {
		if text != "" {
			lines = append(lines, shorten(oneLine(text), s.width))
		}
	}
	if len(lines) > 0 {
		lines = append(lines, "")
	}
	head, list := r.blocks(s.width)
	if r.Query.Task != "" {
		r.Rows = len(list)
		s.offset = max(min(s.offset, len(list)-1), 0)
		list = list[s.offset:]
	}
	lines = append(lines, head...)
	room := max(s.height-1-len(lines), 1)
	s.rows = min(len(list), room)
	if whole := s.offset == 0 && len(list) <= room && s.total() <= s.rows; !whole {
		s.rows = min(len(list), max(room-1, 1))
	}
	lines = append(lines, list[:s.rows]...)
	if s.offset > 0 || s.total() > s.rows {
		lines = append(lines, shorten(s.footer(), s.width))
	}
	s.block.drawLines(lines)
}

func (s *statusScreen) footer() string {
	text := fmt.Sprintf("%d to %d of %d", s.offset+1, min(s.offset+s.rows, s.total()), s.total())
	if s.keys != nil {
		text += "; arrows, PgUp and PgDn scroll, q ends"
	}
	return text
}
