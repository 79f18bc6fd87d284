//go:build failpoints && linux

package failpoint

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// point is the action at one name.
type point struct {
	action string
	nth    int // 0: every time
	hits   int
}

var (
	mu     sync.Mutex
	points = sync.OnceValue(func() map[string]*point {
		all := map[string]*point{}
		for _, text := range strings.Split(os.Getenv("AIR_EXECUTOR_FAILPOINT"), ",") {
			name, action, _ := strings.Cut(text, ":")
			action, nth, _ := strings.Cut(action, "@")
			n, _ := strconv.Atoi(nth)
			all[name] = &point{action: action, nth: n}
		}
		return all
	})
)

// Hit carries out the action that the environment sets for name.
func Hit(name string) {
	if collects() {
		collect()
	}
	if p := due(name); p != nil {
		p.act()
	}
}

// Err returns an error if the environment says that name fails.
func Err(name string) error {
	if p := due(name); p != nil {
		return fmt.Errorf("failpoint %s: %w", name, unix.EIO)
	}
	return nil
}

// due returns the action of this process at name now; nil: none.
func due(name string) *point {
	mu.Lock()
	defer mu.Unlock()
	if p := points()[name]; p != nil && p.due() && first(name) {
		return p
	}
	return nil
}

var collects = sync.OnceValue(func() bool { return os.Getenv("AIR_EXECUTOR_COLLECT") != "" })

// collect returns when everything that was unreachable has been finalized.
func collect() {
	for range 2 {
		tidied := make(chan struct{})
		runtime.AddCleanup(new([64]byte), func(done chan struct{}) { close(done) }, tidied)
		runtime.GC()
		<-tidied
	}
}

func (p *point) due() bool {
	p.hits++
	return p.nth == 0 || p.nth == p.hits
}

// first reports whether this process is the one that acts at name.
func first(name string) bool {
	mark := os.Getenv("AIR_EXECUTOR_FAILPOINT_MARK")
	if mark == "" {
		return true
	}
	path := mark + "." + name
	// Linked into place once it is complete: the tests wait for it to appear.
	draft := fmt.Sprintf("%s.%d", path, os.Getpid())
	if err := os.WriteFile(draft, []byte(strconv.Itoa(os.Getpid())), 0o600); err != nil {
		return false
	}
	defer os.Remove(draft)
	return os.Link(draft, path) == nil
}

func (p *point) act() {
	switch action, ms, _ := strings.Cut(p.action, ":"); action {
	case "kill":
		_ = unix.Kill(os.Getpid(), unix.SIGKILL)
		select {}
	case "stop":
		// Sent to this thread, so that it stops before the next instruction.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		_ = unix.Tgkill(os.Getpid(), unix.Gettid(), unix.SIGSTOP)
	case "mark":
	case "lose-lock":
		_ = unix.Close(3) // the descriptor that a runner inherits
	case "sleep":
		n, _ := strconv.Atoi(ms)
		time.Sleep(time.Duration(n) * time.Millisecond)
	default:
		panic("AIR_EXECUTOR_FAILPOINT: unknown action " + p.action)
	}
}

// Wait returns the time that the environment gives, or else the usual one.
func Wait(usual time.Duration) time.Duration {
	if d, err := time.ParseDuration(os.Getenv("AIR_EXECUTOR_WAIT")); err == nil {
		return d
	}
	return usual
}

// Tuning returns the settings that the environment gives, or else the usual ones.
func Tuning(usual []string) []string {
	if given := os.Getenv("AIR_EXECUTOR_TUNING"); given != "" {
		return strings.Split(given, ",")
	}
	return usual
}

// Haste returns the time, shorter by the factor that the environment gives.
func Haste(usual time.Duration) time.Duration {
	if n, err := strconv.Atoi(os.Getenv("AIR_EXECUTOR_HASTE")); err == nil {
		return usual / time.Duration(n)
	}
	return usual
}
