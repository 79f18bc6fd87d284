package traces

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/db/dbtest"
	"github.com/air-executor/air-executor/internal/testkit"
	"github.com/air-executor/air-executor/job"
)

func TestASpanPerAttempt(t *testing.T) {
	from := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	w := begin(t, db.Options{Clock: dbtest.Ticking(from)})
	c := collect(t)
	w.export(c.URL, "OTEL_SERVICE_NAME=builds", "OTEL_RESOURCE_ATTRIBUTES=service.name=no,team=a%2Cb", "OTEL_EXPORTER_OTLP_HEADERS=x-key=s%20t", "OTEL_EXPORTER_OTLP_COMPRESSION=gzip")
	w.add(job.Spec{ID: "a", Command: "/usr/bin/make", Args: []string{"--password=hunter2", "x"}, Env: []string{"KEY=hunter3"}})
	w.finish(w.claim(), job.Result{Status: job.Failed, Reason: job.Exited, ExitCode: new(3), Error: "hunter4"})
	w.add(job.Spec{ID: "b", Command: "/bin/cp"})
	w.finish(w.claim(), dbtest.Success)
	all := c.wantRuns("a#1", "b#1")
	a := all[0]
	want := facts{
		"cicd.pipeline.name": "j", "cicd.pipeline.task.name": "a", "cicd.pipeline.task.run.id": "1.1", "cicd.pipeline.task.run.result": "failure",
		"cicd.pipeline.task.run.url.full": "http://x/1", "process.executable.name": "make", "process.args_count": "#3", "process.exit.code": "#3",
		"host.name": "host", "air_executor.attempt": "#1", "air_executor.status": "failed", "error.type": "exited",
	}
	if diff := cmp.Diff(want, a.Attributes); diff != "" {
		t.Errorf("attributes (-want +got):\n%s", diff)
	}
	if a.Name != "make" || a.Kind != kindInternal || a.Status.Code != statusError || a.Status.Message != "exited" || a.Flags != 0x101 || a.ParentSpanID != "" || len(a.Links) > 0 {
		t.Errorf("%+v", a)
	}
	if len(a.Start) != 19 || len(a.End) != 19 || a.End <= a.Start {
		t.Errorf("from %s to %s", a.Start, a.End)
	}
	if b := all[1]; b.Name != "cp" || b.Status.Code != 0 || b.Attributes["cicd.pipeline.task.run.result"] != "success" || b.Attributes["error.type"] != "" || b.TraceID == a.TraceID {
		t.Errorf("%+v", b)
	}
	body := string(bytes.Join(c.bodies, nil))
	for _, secret := range []string{"hunter", "KEY"} {
		if strings.Contains(body, secret) {
			t.Errorf("%s is told: %s", secret, body)
		}
	}
	var got seen
	if err := json.Unmarshal(c.bodies[0], &got); err != nil {
		t.Fatal(err)
	}
	shared := facts{"service.name": "builds", "service.version": "v1", "team": "a,b"}
	if diff := cmp.Diff(shared, got.ResourceSpans[0].Resource.Attributes); diff != "" || c.headers[0].Get("X-Key") != "s t" {
		t.Errorf("%v, resource (-want +got):\n%s", c.headers[0], diff)
	}
}

func TestSpansNestAndRetriesAreLinked(t *testing.T) {
	w := begin(t, db.Options{})
	c := collect(t)
	w.export(c.URL)
	w.add(job.Spec{ID: "a"})
	first := w.claim()
	w.add(job.Spec{ID: "child", Env: told(first)})
	child := w.claimOf(t, "child", first)
	w.add(job.Spec{ID: "grandchild", Env: told(child)})
	w.finish(child, dbtest.Success)
	w.finish(w.claim(), dbtest.Success)
	if _, err := w.Reset(t.Context(), "j", db.Which{Tasks: []string{"a"}}); err != nil {
		t.Fatal(err)
	}
	w.finish(w.claim(), dbtest.Success)
	w.add(job.Spec{ID: "unsampled", Env: []string{"TRACEPARENT=00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00"}})
	unsampled := w.claim()
	if said := told(unsampled); !strings.HasSuffix(said[0], "-00") {
		t.Errorf("below what is not sampled: %s", said)
	}
	w.finish(unsampled, dbtest.Success)
	w.add(job.Spec{ID: "outer", Env: []string{"TRACEPARENT=00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "TRACESTATE=v=1"}})
	w.finish(w.claim(), dbtest.Success)
	all := c.wantRuns("a#1", "child#1", "grandchild#1", "a#2", "outer#1")
	if said := "TRACEPARENT=00-" + all[0].TraceID + "-" + all[0].SpanID + "-01"; said != told(first)[0] {
		t.Errorf("the command was told %s, and the span is %s", told(first)[0], said)
	}
	for i, parent := range []string{"", all[0].SpanID, all[1].SpanID} {
		if all[i].TraceID != all[0].TraceID || all[i].ParentSpanID != parent {
			t.Errorf("%+v is not below %s", all[i], parent)
		}
	}
	again := all[3]
	if len(again.Links) != 1 || again.Links[0].SpanID != all[0].SpanID || again.Links[0].TraceID != all[0].TraceID || again.SpanID == all[0].SpanID {
		t.Errorf("the second attempt: %+v", again)
	}
	if o := all[4]; o.TraceID != "4bf92f3577b34da6a3ce929d0e0e4736" || o.ParentSpanID != "00f067aa0ba902b7" || o.TraceState != "v=1" || o.Flags != 0x301 {
		t.Errorf("%+v", o)
	}
}

// claimOf ends another attempt first, as a job runs one task at a time.
func (w *work) claimOf(t *testing.T, id string, before *db.Assignment) *db.Assignment {
	t.Helper()
	w.finish(before, dbtest.Failure)
	a := w.claim()
	if a.Task != id {
		t.Fatalf("%s was claimed", a.Task)
	}
	return a
}

// While the collector is away, spans wait in the database, also over restarts.
func TestACollectorThatWasDownGetsWhatItMissed(t *testing.T) {
	w := begin(t, db.Options{})
	c := collect(t)
	w.export("http://127.0.0.1:1")
	w.runs("a", "b")
	testkit.Eventually(t, "it is noticed", func() bool { return strings.Contains(w.said(), "takes no spans") })
	w.end() // as if the server was killed
	w.runs("c")
	w.export(c.URL)
	w.runs("d")
	c.wantRuns("a#1", "b#1", "c#1", "d#1")
	w.noted("d")
	w.end()
	w.export(c.URL)
	w.runs("e")
	c.wantRuns("a#1", "b#1", "c#1", "d#1", "e#1")
	if n := strings.Count(w.said(), "takes no spans"); n != 1 {
		t.Errorf("it was said %d times:\n%s", n, w.said())
	}
}

// noted waits until the database knows that all is sent.
func (w *work) noted(what string) {
	w.Helper()
	testkit.Eventually(w.T, "it is noted that "+what+" is sent", func() bool {
		at, err := w.Place(w.Context(), reader)
		if err != nil {
			w.Fatal(err)
		}
		page, err := w.Events(w.Context(), at, db.EventQuery{Types: []string{db.TaskEnded}})
		return err == nil && len(page.Events) == 0
	})
}

func TestWhatTheCollectorAnswers(t *testing.T) {
	hang := func(w http.ResponseWriter, r *http.Request) bool {
		_, _ = io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
		return false
	}
	lost := func(w http.ResponseWriter, r *http.Request) bool { // it has them, and its answer does not arrive
		panicked := http.NewResponseController(w)
		if c, _, err := panicked.Hijack(); err == nil {
			c.Close()
		}
		return true
	}
	for name, tt := range map[string]struct {
		answers []func(http.ResponseWriter, *http.Request) bool
		want    []string
		says    string
		waits   int
	}{
		"429":             {answers(refuse(429, "7"), refuse(429, "7")), []string{"a#1", "b#1"}, "it answers 429", 2},
		"503":             {answers(refuse(503, "")), []string{"a#1", "b#1"}, "it answers 503", 1},
		"502, 504":        {answers(refuse(502, ""), refuse(504, "")), []string{"a#1", "b#1"}, "it answers 502", 2},
		"it does not":     {answers(hang), []string{"a#1", "b#1"}, "Client.Timeout", 1},
		"it was lost":     {answers(lost), []string{"a#1", "a#1", "b#1"}, "EOF", 1},
		"400":             {answers(refuse(400, "")), []string{"b#1"}, "spans are lost", 0},
		"401":             {answers(refuse(401, "")), []string{"b#1"}, "spans are lost", 0},
		"500":             {answers(refuse(500, "")), []string{"b#1"}, "spans are lost", 0},
		"307":             {answers(refuse(307, "")), []string{"b#1"}, "spans are lost", 0},
		"partial success": {answers(partial), []string{"a#1", "b#1"}, "rejected=1", 0},
	} {
		t.Run(name, func(t *testing.T) {
			w := begin(t, db.Options{})
			c := collect(t)
			c.next(tt.answers...)
			timeout := "60000"
			if name == "it does not" {
				timeout = "50"
			}
			w.export(c.URL, "OTEL_EXPORTER_OTLP_TIMEOUT="+timeout)
			w.runs("a")
			w.noted("a")
			w.runs("b")
			c.wantRuns(tt.want...)
			if !strings.Contains(w.said(), tt.says) {
				t.Errorf("%s is not said: %s", tt.says, w.said())
			}
			if name != "it does not" && len(w.waits) != tt.waits {
				t.Errorf("waited %v", w.waits)
			}
			if name == "429" && w.waits[0] != 7*time.Second {
				t.Errorf("waited %v, was asked for 7 seconds", w.waits)
			}
			for _, b := range c.bodies[1:min(tt.waits+1, len(c.bodies))] {
				if name != "it does not" && !bytes.Equal(b, c.bodies[0]) {
					t.Errorf("first %s, then %s", c.bodies[0], b)
				}
			}
		})
	}
}

func answers(list ...func(http.ResponseWriter, *http.Request) bool) []func(http.ResponseWriter, *http.Request) bool {
	return list
}

func partial(w http.ResponseWriter, _ *http.Request) bool {
	_, _ = io.WriteString(w, `{"partialSuccess":{"rejectedSpans":"1","errorMessage":"too old"}}`)
	return true
}

func TestDelaysGrowToTheLongest(t *testing.T) {
	w := begin(t, db.Options{})
	c := collect(t)
	c.next(slices.Repeat(answers(refuse(503, "")), 12)...)
	w.export(c.URL)
	w.runs("a")
	c.wantRuns("a#1")
	want := firstDelay
	for _, d := range w.waits {
		if d < want/2 || d > want*3/2 {
			t.Errorf("%v, want about %v", w.waits, want)
		}
		want = min(2*want, longestDelay)
	}
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for text, want := range map[string]time.Duration{"": 0, "x": 0, "-1": 0, "5": 5 * time.Second, "Fri, 02 Jan 2026 03:04:15 GMT": 10 * time.Second, "Fri, 02 Jan 2026 03:04:00 GMT": 0} {
		if got := retryAfter(text, now); got != want {
			t.Errorf("Retry-After: %s is %v, want %v", text, got, want)
		}
	}
}

// Many spans are sent some at a time; what was removed, or pruned, is passed over.
func TestABacklogIsSentInBatches(t *testing.T) {
	w := begin(t, db.Options{})
	ids := []string{}
	for i := range maxSpans + 10 {
		ids = append(ids, "t"+string(rune('a'+i%26))+strings.Repeat("x", i/26))
	}
	w.runs(ids...)
	if _, err := w.RemoveTasks(t.Context(), "j", ids[:3]); err != nil {
		t.Fatal(err)
	}
	c := collect(t)
	w.export(c.URL)
	for i := range ids {
		ids[i] += "#1"
	}
	c.wantRuns(ids[3:]...)
	w.noted("all")
	if len(c.bodies) != 2 || !strings.Contains(w.said(), "tasks were removed\" spans=3") {
		t.Errorf("%d requests; %s", len(c.bodies), w.said())
	}
	w.end()
	w.runs("gone", "kept")
	if err := w.RemoveReader(t.Context(), "stats"); err != nil { // nobody counts them here
		t.Fatal(err)
	}
	if _, err := w.PruneEvents(t.Context(), time.Now(), 1, 1_000_000); err != nil {
		t.Fatal(err)
	}
	w.export(c.URL)
	w.runs("new")
	testkit.Eventually(t, "the newest is sent", func() bool { _, runs := c.spans(); return slices.Contains(runs, "new#1") })
	if !strings.Contains(w.said(), "their events are deleted") {
		t.Error(w.said())
	}
}

// The decoder of the collector itself reads what is sent, to the last field.
func TestTheDecoderOfTheCollectorReadsSpans(t *testing.T) {
	w := begin(t, db.Options{})
	c := collect(t)
	w.export(c.URL, "OTEL_RESOURCE_ATTRIBUTES=a=b")
	w.add(job.Spec{ID: "a", Env: []string{"TRACEPARENT=00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "TRACESTATE=v=1"}})
	w.finish(w.claim(), job.Result{Status: job.Failed, Reason: job.Exited, ExitCode: new(3)})
	c.wantRuns("a#1")
	if _, err := w.Reset(t.Context(), "j", db.Which{Tasks: []string{"a"}}); err != nil {
		t.Fatal(err)
	}
	w.finish(w.claim(), job.Result{Status: job.Failed, Reason: job.Signaled, Signal: "SIGKILL"})
	c.wantRuns("a#1", "a#2")
	if out, err := exec.Command("go", "-C", "../tools/spans", "list", "-deps", ".").CombinedOutput(); err != nil {
		t.Skipf("the modules of the decoder cannot be had: %s", out)
	}
	read := exec.Command("go", "-C", "../tools/spans", "run", ".")
	read.Stdin = bytes.NewReader(c.bodies[1])
	var complaint bytes.Buffer
	read.Stderr = &complaint
	out, err := read.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, &complaint)
	}
	if diff := cmp.Diff(plain(t, c.bodies[1]), plain(t, out)); diff != "" {
		t.Errorf("what was sent, and what was read of it (-sent +read):\n%s", diff)
	}
}

// plain is JSON without its order.
func plain(t *testing.T, b []byte) (v any) {
	t.Helper()
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatal(err)
	}
	return v
}
