package api

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/air-executor/air-executor/db"
)

func TestTheSystem(t *testing.T) {
	s := serve(t, Options{ReadOnly: true})
	s.enqueue("j", command("a")...)
	s.ran("j", "hello\n", failed)
	for i := range 12 {
		if err := s.queue.DB.RegisterManager(context.Background(), db.Instance{ID: fmt.Sprint("m", i), Host: "h", PID: i + 1}); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.queue.DB.ManagerStopped(context.Background(), "m11"); err != nil {
		t.Fatal(err)
	}
	v := read[System](s.get("/api/v1/system"))
	if v.BasePath != s.base || v.FreeBytes < 1 || v.Database.SizeBytes < 1 || v.Database.SchemaVersion != db.LatestSchema || v.StatsLagSeconds == nil {
		t.Errorf("%+v", v.SystemForm)
	}
	if v.Logs.Files != 1 || v.Logs.SizeBytes != 6 || !v.Logs.Complete {
		t.Errorf("logs: %+v", v.Logs)
	}
	if len(v.Managers) != 10 || v.Managers[0].Instance != "m11" || v.Managers[0].Running || v.Managers[0].StoppedAt == nil || v.Managers[1].StoppedAt != nil {
		t.Errorf("managers: %+v", v.Managers)
	}
	if !v.Server.ReadOnly || len(v.Server.Addresses) != 1 || *v.Server.Socket != filepath.Join(s.base, SocketName) || v.Server.Pid != os.Getpid() {
		t.Errorf("server: %+v", v.Server)
	}
	from := map[string]string{}
	for _, c := range v.Config {
		from[c.Key] = fmt.Sprint(c.Value, " ", c.Source)
	}
	if from["max_concurrent_runners"] != "10 default" || len(from) < 10 {
		t.Errorf("configuration: %v", from)
	}
}
