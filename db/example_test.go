package db_test

import (
	"context"
	"fmt"
	"log"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/air-executor/air-executor/config"
	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/job"
	"github.com/air-executor/air-executor/manager"
	"github.com/air-executor/air-executor/runner"
)

// A job of two tasks, of which the second needs the first. In a shell:
//
//	air-executor enqueue --job report --id fetch -- echo fetching
//	air-executor enqueue --job report --id build --after fetch -- echo building
//	air-executor start
//	air-executor wait --job report
//
// A program that runs jobs is started again by its manager, once for each task,
// with run-task as its first argument. So it begins with:
//
//	func main() {
//		if len(os.Args) > 1 && os.Args[1] == runner.Argument {
//			os.Exit(runner.Main(os.Args[1:], newLogger))
//		}
//		// ...
//	}
func Example_sequentialJob() {
	ctx := context.Background()
	d, base, cleanUp := temporaryDatabase(ctx) // with db.Open
	defer cleanUp()

	_, err := d.Enqueue(ctx, db.Batch{Job: "report", Tasks: specs(
		job.Spec{ID: "fetch", Command: "echo", Args: []string{"fetching"}},
		job.Spec{ID: "build", Command: "echo", Args: []string{"building"}, Dependencies: []string{"fetch"}},
	)})
	if err != nil {
		log.Fatal(err)
	}
	j, err := serveUntilEnded(ctx, d, base, "report")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(j.Name, "is", j.State)
	for _, id := range []string{"fetch", "build"} {
		output, err := os.ReadFile(runner.LogPath(base, "report", id))
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("%s: %s", id, output)
	}
	// Output:
	// report is completed
	// fetch: fetching
	// build: building
}

// A task that queues ten more. In a shell, where the job and the parent are
// taken from the environment of the task:
//
//	air-executor run --job crawl -- sh -c '
//	    for page in 1 2 3 4 5 6 7 8 9 10; do
//	        air-executor enqueue --id page-$page -- echo page $page
//	    done'
//
// Here the task is this program, which calls queuePages when it is started with
// that argument. If the task runs again, what it has queued before is not
// queued twice.
func Example_taskThatQueuesTasks() {
	ctx := context.Background()
	d, base, cleanUp := temporaryDatabase(ctx) // with db.Open
	defer cleanUp()

	self, err := os.Executable()
	if err != nil {
		log.Fatal(err)
	}
	_, err = d.Enqueue(ctx, db.Batch{Job: "crawl", Tasks: specs(
		job.Spec{ID: "list", Command: self, Args: []string{queueTen}},
	)})
	if err != nil {
		log.Fatal(err)
	}
	j, err := serveUntilEnded(ctx, d, base, "crawl")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s is %s: %d tasks\n", j.Name, j.State, j.Tasks.Completed)
	page, err := d.Task(ctx, "crawl", "page-10")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(page.ID, "was queued by", page.Parent)
	// Output:
	// crawl is completed: 11 tasks
	// page-10 was queued by list
}

const queueTen = "queue-ten"

// queueTenMain is this program as a task.
func queueTenMain() int {
	if err := queuePages(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// queuePages adds ten tasks to the job of the task that calls it. The runner
// has put into the environment where that is.
func queuePages(ctx context.Context) error {
	d, err := db.Open(ctx, os.Getenv(runner.EnvBasePath), db.Options{})
	if err != nil {
		return err
	}
	defer d.Close()
	_, err = d.Enqueue(ctx, db.Batch{
		Job:         os.Getenv(runner.EnvJob),
		Parent:      os.Getenv(runner.EnvToken),
		MaxSubtasks: 1000, MaxDepth: 16,
		Tasks: func(yield func(job.Spec, error) bool) {
			for page := 1; page <= 10; page++ {
				s := job.Spec{
					ID:      fmt.Sprintf("page-%d", page),
					Command: "echo", Args: []string{"page", fmt.Sprint(page)},
				}
				if !yield(s, nil) {
					return
				}
			}
		},
	})
	return err
}

// serveUntilEnded runs the tasks of one job, as `air-executor run` does, until
// there is nothing left to do, and returns the job as it is then.
func serveUntilEnded(ctx context.Context, d *db.DB, base, name string) (j job.Job, err error) {
	conf, err := config.Load(config.Overrides{BasePath: config.Override{Value: base, Source: config.FromFlag}})
	if err != nil {
		return j, err
	}
	m, err := manager.New(ctx, manager.Options{
		Config: conf, Log: newLogger(os.Stderr, "ERROR", "console"), RunnerLog: os.Stderr, OnlyJob: name,
	})
	if err != nil {
		return j, err
	}
	served := make(chan error, 1)
	go func() { served <- m.Run(ctx) }()

	look := time.NewTicker(10 * time.Millisecond)
	defer look.Stop()
	for {
		j, err = d.Job(ctx, name)
		if err != nil || j.State.Ended() {
			m.Stop(db.StopLeave)
			if e := <-served; err == nil {
				err = e
			}
			return j, err
		}
		select {
		case err := <-served:
			return j, err
		case <-look.C:
		}
	}
}

// temporaryDatabase opens the database in which the examples keep their jobs; a
// program of yours would have a folder of its own for that.
func temporaryDatabase(ctx context.Context) (d *db.DB, base string, cleanUp func()) {
	dir, err := os.MkdirTemp("", "air-executor-example-")
	if err != nil {
		log.Fatal(err)
	}
	base = filepath.Join(dir, ".air-executor")
	d, err = db.Open(ctx, base, db.Options{})
	if err != nil {
		log.Fatal(err)
	}
	return d, base, func() { d.Close(); os.RemoveAll(dir) }
}

// newLogger makes the log of manager and runners.
func newLogger(file *os.File, level, _ string) *slog.Logger {
	var l slog.Level
	if l.UnmarshalText([]byte(level)) != nil {
		l = slog.LevelInfo
	}
	return slog.New(slog.NewTextHandler(file, &slog.HandlerOptions{Level: max(l, slog.LevelError)}))
}
