package runner

import (
	"fmt"
	"os"
	"strings"
	"sync"

	"golang.org/x/sys/unix"
)

// lastWords is what a runner writes to its standard error before it is ready: a
// line that says why it cannot start, or the Go runtime's report of a crash,
// with the stacks of all threads. It does not go into the log: if one runner
// cannot start, the next one cannot either, once a second. The manager reads it
// when the runner has exited.
type lastWords struct {
	mu   sync.Mutex
	fd   int // -1: closed
	text string
}

// newLastWords makes a place for them. The runner gets mouth as its standard error.
func newLastWords() (w *lastWords, mouth *os.File, err error) {
	hear, speak, err := newMouth()
	if err != nil {
		return nil, nil, fmt.Errorf("last words: %w", err)
	}
	return &lastWords{fd: hear}, os.NewFile(uintptr(speak), "last words"), nil
}

// read takes what was said, and closes the place for it.
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

// close closes the place for the words of a runner that is ready, and writes
// elsewhere now.
func (w *lastWords) close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.fd >= 0 {
		unix.Close(w.fd)
		w.fd = -1
	}
}

// LastWords returns in one line why a runner exited before it became ready, as far
// as the runner could tell; empty: it could not. It is complete when the runner
// has exited.
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
