package main

import (
	"time"

	"github.com/air-executor/air-executor/manager"
	"github.com/air-executor/air-executor/queue"
)

// obstacles reports, for a command that waits, why tasks cannot start, once for each
// cause. It does so in scripts too.
type obstacles struct {
	ui    *ui
	ws    *workspace
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
	text := o.text()
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
