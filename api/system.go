package api

import (
	"os"
	"time"

	"github.com/air-executor/air-executor/queue"
)

// System is what the base path is made of, and the server.
type System struct {
	*queue.SystemForm
	Server ServerState `json:"server"`
}

func getSystem(c *call) (answer, error) {
	var p struct{}
	if err := c.parameters(&p); err != nil {
		return answer{}, err
	}
	f, err := c.api.queue.System(c.Context())
	if err != nil {
		return answer{}, err
	}
	o := c.api.options
	out := System{f, ServerState{
		ServerID: c.api.serverID, Version: o.Version, Pid: os.Getpid(), StartedAt: c.api.started.UTC().Truncate(time.Microsecond),
		ReadOnly: o.ReadOnly, Addresses: []string{}, Socket: orNull(o.Socket),
	}}
	if c.api.address != "" {
		out.Server.Addresses = append(out.Server.Addresses, c.api.scheme()+"://"+c.api.address)
	}
	return ok(out, nil)
}
