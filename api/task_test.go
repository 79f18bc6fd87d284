package api

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/air-executor/air-executor/job"
	"github.com/air-executor/air-executor/runner"
)

func ids(p TaskPage) (out []string) {
	for _, t := range p.Items {
		out = append(out, t.Task)
	}
	return out
}

func TestTasksAreListedPageByPage(t *testing.T) {
	s := serve(t, Options{})
	var all []string
	for i := range 30 {
		id := fmt.Sprintf("t%02d", i)
		all = append(all, id)
		s.enqueue("j", command(id)...)
		s.enqueue("other", command(id)...)
	}
	for range 6 {
		s.ran("j", "", failed)
	}
	pages := func(query string) (forth, back []string) {
		var last TaskPage
		for at := ""; ; at = "&cursor=" + *last.Next {
			last = read[TaskPage](s.get("/api/v1/jobs/j/tasks?limit=4" + query + at))
			forth = append(forth, ids(last)...)
			if last.Next == nil {
				break
			}
		}
		back = ids(last)
		for last.Prev != nil {
			last = read[TaskPage](s.get("/api/v1/jobs/j/tasks?limit=4" + query + "&cursor=" + *last.Prev))
			back = append(ids(last), back...)
		}
		return forth, back
	}
	for query, want := range map[string][]string{
		"": all, "&status=failed": all[:6], "&status=failed&reason=exited": all[:6], "&status=pending": all[6:], "&q=T1": all[10:20],
		"&status=running": nil, "&status=dismissed": nil, "&reason=exited": all[:6],
	} {
		if forth, back := pages(query); !slices.Equal(forth, want) || !slices.Equal(back, want) {
			t.Errorf("%s\nforth %v\nback  %v", query, forth, back)
		}
	}
	for query, want := range map[string]int{"": 30, "?status=failed": 6, "?status=pending": 24, "?status=dismissed": 0} {
		if p := read[TaskPage](s.get("/api/v1/jobs/j/tasks" + query)); p.Total == nil || *p.Total != want {
			t.Errorf("%s: total %v, want %d", query, p.Total, want)
		}
	}
	for at, want := range map[string]string{"0": "t00", "0.5": "t15", "1": "t29", "1.0": "t29"} {
		p := read[TaskPage](s.get("/api/v1/jobs/j/tasks?limit=1&at=" + at))
		if got := ids(p); !slices.Equal(got, []string{want}) {
			t.Errorf("at=%s: %v", at, got)
		}
	}
	if got := ids(read[TaskPage](s.get("/api/v1/jobs/j/tasks?id=t07&id=none&id=t02"))); !slices.Equal(got, []string{"t07", "t02"}) {
		t.Errorf("by id: %v", got)
	}
	s.full("GET", "/api/v1/jobs/none/tasks").problem(noSuchJob)
}

// keyOf returns the path of a task.
func (s *served) keyOf(name, id string) string {
	s.t.Helper()
	p := read[TaskPage](s.full("GET", "/api/v1/jobs/"+name+"/tasks", func(r *http.Request) {
		q := r.URL.Query()
		q.Set("id", id)
		r.URL.RawQuery = q.Encode()
	}).want(200))
	if len(p.Items) != 1 {
		s.t.Fatalf("%d tasks %q", len(p.Items), id)
	}
	return "/api/v1/tasks/" + strconv.FormatInt(p.Items[0].Key, 10)
}

func TestOneTask(t *testing.T) {
	s := serve(t, Options{})
	s.enqueue("j", job.Spec{ID: "..", Command: "make", Env: []string{"PASSWORD=marker"}}, job.Spec{ID: "b", Command: "true", Dependencies: []string{".."}})
	s.ran("j", "three\n", failed)
	at := s.keyOf("j", "..")
	task := read[TaskAt](s.get(at))
	if task.KeyedTask.Task != ".." || len(task.History) != 1 || *task.ExitCode != 3 {
		t.Fatalf("%+v", task)
	}
	if a := task.History[0]; a.Log.Size != 6 || !a.Log.Complete || !strings.HasSuffix(a.Log.URL, at+"/attempts/1/log") || a.RunSeconds == nil {
		t.Errorf("%+v", a)
	}
	if !slices.Equal(task.EnvNames, []string{"PASSWORD"}) || strings.Contains(string(s.get(at).body), "marker") {
		t.Error("of the environment, only names are shown")
	}
	blocked := read[TaskAt](s.get(s.keyOf("j", "b")))
	if *blocked.WaitsFor != "dependencies" || blocked.BlockedBy[0].Task != ".." || blocked.BlockedBy[0].Status != job.Failed {
		t.Errorf("%+v", blocked)
	}
	if r := read[Reset](s.full("POST", at+"/reset").want(200)); r.Reset != 1 {
		t.Errorf("%+v", r)
	}
	if r := read[Reset](s.full("POST", at+"/reset").want(200)); r.Reset != 0 {
		t.Errorf("again: %+v", r)
	}
	for range 2 {
		c := read[Cancelled](s.full("POST", at+"/cancel").want(200))
		if c.Task == nil || *c.Task != ".." || c.Running != 0 {
			t.Errorf("%+v", c)
		}
	}
	for _, key := range []string{"99", "0", "-1", "x", "1e3", "99999999999999999999", "%2e%2e"} {
		s.full("GET", "/api/v1/tasks/"+key).problem(noSuchTask)
		s.full("POST", "/api/v1/tasks/"+key+"/cancel").problem(noSuchTask)
	}
}

func TestALogIsReadPieceByPiece(t *testing.T) {
	s := serve(t, Options{})
	s.enqueue("j", command("a")...)
	a := s.claim("j")
	at := s.keyOf("j", "a") + "/attempts/1/log"
	if p := read[LogPiece](s.get(at + "?format=json")); p.Size != 0 || p.Complete || p.Data != "" {
		t.Errorf("%+v", p)
	}
	s.print("j", "a", "one\ntwö\n") // ö begins at 6
	p := read[LogPiece](s.get(at + "?format=json&limit=7"))
	if p.Data != "one\ntw" || p.Next != 6 || p.Size != 9 || p.Encoding != UTF8 {
		t.Errorf("a character is not cut: %+v", p)
	}
	if p = read[LogPiece](s.get(at + "?format=json&offset=-5")); p.Offset != 4 || p.Data != "twö\n" {
		t.Errorf("%+v", p)
	}
	if p = read[LogPiece](s.get(at + "?format=json&offset=9&wait=0")); p.Data != "" || p.Next != 9 {
		t.Errorf("%+v", p)
	}
	s.full("GET", at+"?format=json&offset=10").problem(outside)
	waits := make(chan LogPiece)
	go func() { waits <- read[LogPiece](s.get(at + "?format=json&offset=9&wait=60")) }()
	s.print("j", "a", "\xff\x00")
	if p = <-waits; p.Encoding != Base64 || p.Next == 9 {
		t.Errorf("%+v", p)
	}
	if b, _ := base64.StdEncoding.DecodeString(p.Data); !strings.HasPrefix("\xff\x00", string(b)) {
		t.Errorf("%q", b)
	}
	go func() { waits <- read[LogPiece](s.get(at + "?format=json&offset=11&wait=60")) }()
	s.finish(a, failed)
	if p = <-waits; !p.Complete || p.Next != 11 || p.Size != 11 {
		t.Errorf("%+v", p)
	}
	s.full("GET", s.keyOf("j", "a")+"/attempts/2/log").problem(noSuchAttempt)
	s.full("GET", s.keyOf("j", "a")+"/attempts/0/log").problem(noSuchAttempt)
}

func TestALogIsServedAsItIs(t *testing.T) {
	s := serve(t, Options{})
	s.enqueue("j", command("a")...)
	text := "<script>alert(1)</script>\x1b]0;x\x07" + strings.Repeat("0123456789", 100)
	s.ran("j", text, failed)
	at := s.keyOf("j", "a") + "/attempts/1/log"
	check := func() {
		t.Helper()
		g := s.get(at)
		if string(g.body) != text || g.header.Get("Content-Type") != "text/plain; charset=utf-8" || g.header.Get("X-Content-Type-Options") != "nosniff" ||
			!strings.HasPrefix(g.header.Get("Content-Disposition"), "attachment") {
			t.Errorf("%v %.60q", g.header, g.body)
		}
		part := s.full("GET", at, header("Range", "bytes=26-29")).want(206)
		if string(part.body) != text[26:30] {
			t.Errorf("%q", part.body)
		}
		if part = s.full("GET", at, header("Range", "bytes=-3")).want(206); string(part.body) != "789" {
			t.Errorf("%q", part.body)
		}
		if part = s.get(at + "?offset=-5&limit=4"); string(part.body) != "5678" {
			t.Errorf("%q", part.body)
		}
		s.full("GET", at, header("Range", "bytes=5000-")).problem(outside)
		if p := read[LogPiece](s.get(at + "?format=json&offset=-10&limit=4")); p.Data != "0123" || p.Size != int64(len(text)) {
			t.Errorf("%+v", p)
		}
	}
	check()
	if _, err := runner.CompressLog(s.base, "j", "a", 1, true, func(swap func() error) error { return swap() }); err != nil {
		t.Fatal(err)
	}
	check()
}

// A log that is a link is not followed, wherever it leads.
func TestALogThatIsALinkIsNotServed(t *testing.T) {
	s := serve(t, Options{})
	s.enqueue("j", command("a")...)
	s.ran("j", "x", failed)
	path := runner.LogPath(s.base, "j", "a")
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(s.base+"/"+TokenName, path); err != nil {
		t.Fatal(err)
	}
	at := s.keyOf("j", "a")
	g := s.full("GET", at+"/attempts/1/log").want(500)
	if strings.Contains(string(g.body), s.token(owner)) || strings.Contains(string(g.body), s.base) {
		t.Errorf("%s", g.body)
	}
	s.get(at)
}

func TestAPageThatAFilterLeavesEmptyGoesOn(t *testing.T) {
	s := serve(t, Options{})
	var specs []job.Spec
	for range 20_005 { // more than are looked at for one page
		specs = append(specs, job.Spec{Command: "true"})
	}
	s.enqueue("j", append(specs, job.Spec{ID: "needle", Command: "true"})...)
	p := read[TaskPage](s.get("/api/v1/jobs/j/tasks?q=needle"))
	if len(p.Items) != 0 || p.Next == nil || p.Total != nil {
		t.Fatalf("%+v", p)
	}
	p = read[TaskPage](s.get("/api/v1/jobs/j/tasks?q=needle&cursor=" + *p.Next))
	if got := ids(p); !slices.Equal(got, []string{"needle"}) || p.Next != nil {
		t.Errorf("%+v", p)
	}
}

// A runner moves the log of the attempt before away when it starts. Until then, it has
// the name that the new one will have.
func TestTheLogOfTheAttemptBeforeIsNotThatOfTheNewest(t *testing.T) {
	s := serve(t, Options{})
	s.enqueue("j", command("a")...)
	s.ran("j", "first\n", failed)
	at := s.keyOf("j", "a")
	s.full("POST", at+"/reset").want(200)
	earlier := time.Now().Add(-time.Minute)
	path := runner.LogPath(s.base, "j", "a")
	if err := os.Chtimes(path, earlier, earlier); err != nil {
		t.Fatal(err)
	}
	s.claim("j")
	piece := func(n string) LogPiece {
		t.Helper()
		return read[LogPiece](s.get(at + "/attempts/" + n + "/log?format=json"))
	}
	if p := piece("2"); p.Data != "" || p.Complete {
		t.Errorf("%+v", p)
	}
	if p := piece("1"); p.Data != "first\n" || !p.Complete {
		t.Errorf("%+v", p)
	}
	if err := os.Rename(path, runner.OldLogPath(s.base, "j", "a", 1)); err != nil {
		t.Fatal(err)
	}
	s.print("j", "a", "second\n")
	if p := piece("1"); p.Data != "first\n" || !p.Complete {
		t.Errorf("%+v", p)
	}
	if p := piece("2"); p.Data != "second\n" || p.Complete {
		t.Errorf("%+v", p)
	}
}
