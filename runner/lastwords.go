package runner

import (
	"fmt"
	"os"
	"strings"
	"sync"

	"golang.org/x/sys/unix"
)

// lastWords collects what a runner writes to standard error before it is ready: a line
// that says why it cannot start, or a crash report of the Go runtime with the stacks of
// all threads. It does not go to the log, because if one runner cannot start, the next
// cannot either, and there is one per second. The manager reads it when the runner has
// exited.
type lastWords struct {
	mu   sync.Mutex
	fd   int // -1: closed
	text string
}

// newLastWords makes a place to collect them. The runner gets mouth as its standard
// error.
func newLastWords() (w *lastWords, mouth *os.File, err error) {
	hear, speak, err := newMouth()
	if err != nil {
		return nil, nil, fmt.Errorf("last words: %w", err)
	}
	return &lastWords{fd: hear}, os.NewFile(uintptr(speak), "last words"), nil
}

// read reads what was written, and closes the descriptor.
func (w *lastWords) read() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.fd < 0 {
		return
	}
	buf := make([]byte, 4096)
	n, _ := hear(w.fd, buf)
	w.text = strings.TrimSpace(string(buf[:max(n, 0)]))
	unix.Close(w.fd)
	w.fd = -1
}

// close closes the descriptor. It is called when the runner is ready: from then on it
// writes to the log.
func (w *lastWords) close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.fd >= 0 {
		unix.Close(w.fd)
		w.fd = -1
	}
}

// LastWords returns in one line why a runner exited before it became ready, as far as
// the runner could tell; empty: it could not. It is complete once the runner has
// exited.
func (p *Process) LastWords() string {
	p.words.mu.Lock()
	defer p.words.mu.Unlock()
	if strings.Contains(p.words.text, "failed to create new OS thread") {
		return "it may start no thread (ulimit -u)"
	}
	line, _, _ := strings.Cut(p.words.text, "\n")
	const long = 300
	return line[:min(len(line), long)]
}
