package main

import (
	"fmt"
	"time"

	"github.com/air-executor/air-executor/job"
	"github.com/air-executor/air-executor/manager"
	"github.com/air-executor/air-executor/queue"
)

// obstacles reports, for a command that waits, why tasks cannot start, once for each
// cause. It does so in scripts too.
type obstacles struct {
	ui    *ui
	ws    *workspace
	queue *queue.Queue
	jobs  []string          // that are waited for
	own   *queue.OwnManager // nil, or a manager in this process
	clear func()            // clears the progress block on a terminal; may be nil

	next time.Time // when to look again
	said map[string]bool
}

// look prints what is new. It costs little, and may be called often.
func (o *obstacles) look() {
	now := time.Now()
	if now.Before(o.next) {
		return
	}
	o.next = now.Add(time.Second / 2)
	for _, text := range append(o.paused(), o.text()) {
		o.say(text)
	}
	for _, text := range o.links() {
		o.say(text)
	}
}

// links says what of other jobs the jobs wait for that does not come by itself.
func (o *obstacles) links() (said []string) {
	const most = 3 // tasks of each job
	served := o.own == nil
	if !served {
		_, on, err := manager.Serving(o.ws.conf.BasePath)
		served = err != nil || on
	}
	for _, name := range o.jobs {
		links, err := o.queue.DB.Links(o.ws.ctx, name, most)
		if err != nil {
			return nil // what waits meets it, too
		}
		for _, l := range links {
			task := fmt.Sprintf("task %s of job %s waits for %s", oneLine(l.Task), name, oneLine(l.Needs))
			switch {
			case l.Status == job.Failed:
				said = append(said, task+", which has failed")
			case l.Stuck:
				said = append(said, task+", which cannot start by itself")
			case !served:
				said = append(said, task+", and no manager runs that; start one: air-executor start")
			}
		}
	}
	return said
}

// say prints what was not said before.
func (o *obstacles) say(text string) {
	if text == "" || o.said[text] {
		return
	}
	if o.said == nil {
		o.said = map[string]bool{}
	}
	o.said[text] = true
	if o.clear != nil {
		o.clear()
	}
	o.ui.notef("%s", text)
}

// paused says which of the jobs are paused now.
func (o *obstacles) paused() []string {
	p, err := o.queue.DB.Pauses(o.ws.ctx)
	if err != nil {
		return nil // what waits meets it, too
	}
	return pauseRemarks(p, o.jobs)
}

// text returns why tasks cannot start now.
func (o *obstacles) text() string {
	if o.own != nil {
		if trouble, serves := o.own.Trouble(); serves && trouble != "" {
			return "nothing starts: " + trouble
		} else if serves {
			return ""
		}
	}
	h, on, err := manager.Serving(o.ws.conf.BasePath)
	switch {
	case err != nil:
		return ""
	case !on && o.own == nil:
		return noManager
	case h.Trouble != "":
		return "nothing starts: " + h.Trouble
	}
	return ""
}
