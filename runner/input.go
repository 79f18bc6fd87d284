package runner

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/air-executor/air-executor/db"
)

// What a hook is told of the log of a task.
const (
	tailLines = 50
	tailBytes = 16 << 10
	mostBytes = 32 << 10 // of a variable: the system allows no more than 128 KiB
)

// input is what a command reads, and the variables that go with it. The zero value is
// nothing.
type input struct {
	file *os.File // nil: /dev/null
	env  []string
}

func (in input) close() {
	if in.file != nil {
		in.file.Close()
	}
}

// input returns what the command of a task reads. It is in a file without a name, not in
// a pipe: so nobody waits for a command that does not read it.
func (w *worker) input(a *db.Assignment) (in input, err error) {
	if !a.Input {
		return in, nil
	}
	var stored db.Input
	err = w.insist("read the standard input of a task", func(bool) error {
		stored, err = w.db.Input(context.Background(), a)
		return err
	})
	if err != nil {
		return in, err
	}
	content := stored.Stdin
	if t := stored.Told; t != nil {
		w.addLog(t)
		in.env = hookEnv(t)
		if content, err = json.Marshal(t); err != nil {
			return in, err
		}
	}
	in.file, err = unnamed(content)
	return in, err
}

// unnamed returns a file without a name, from whose begin the content can be read.
func unnamed(content []byte) (*os.File, error) {
	f, err := memory()
	if err != nil {
		if f, err = os.CreateTemp("", "air-executor-"); err != nil {
			return nil, err
		}
		os.Remove(f.Name())
	}
	_, err = f.Write(content)
	if err == nil {
		_, err = f.Seek(0, io.SeekStart)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// addLog tells a hook where the log of the attempt is, and its last lines. A log that
// cannot be read is none.
func (w *worker) addLog(t *db.Told) {
	for _, path := range []string{OldLogPath(w.setup.BasePath, t.Job, t.Task, t.Attempt), LogPath(w.setup.BasePath, t.Job, t.Task)} {
		tail, err := logTail(w.setup.BasePath, path)
		if err == nil {
			t.LogPath, t.LogTail = &path, &tail
			return
		}
	}
}

// logTail returns the last lines of a log, as text.
func logTail(base, path string) (string, error) {
	f, err := ReadLog(base, path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return "", err
	}
	from := max(0, info.Size()-tailBytes)
	b := make([]byte, info.Size()-from)
	n, err := f.ReadAt(b, from)
	if err != nil && !errors.Is(err, io.EOF) {
		return "", err
	}
	b = b[:n]
	if from > 0 {
		if i := bytes.IndexByte(b, '\n'); i >= 0 {
			b = b[i+1:] // from the begin of a line
		}
	}
	lines := strings.SplitAfter(string(b), "\n")
	if n := len(lines); lines[n-1] == "" {
		lines = lines[:n-1]
	}
	lines = lines[max(0, len(lines)-tailLines):]
	return strings.ReplaceAll(strings.ToValidUTF8(strings.Join(lines, ""), "\ufffd"), "\x00", ""), nil
}

// hookEnv is what a hook is told, as variables. What is not known is empty.
func hookEnv(t *db.Told) (env []string) {
	add := func(name, value string) {
		if name != "" {
			name = "_" + name
		}
		env = append(env, EnvHook+name+"="+clip(value))
	}
	code := ""
	if t.ExitCode != nil {
		code = strconv.Itoa(*t.ExitCode)
	}
	add("", t.Hook)
	add("OF", t.Of)
	add("JOB", t.Job)
	add("TASK", t.Task)
	add("STATUS", t.Status)
	add("REASON", orEmpty(t.Reason))
	add("EXIT_CODE", code)
	add("SIGNAL", orEmpty(t.Signal))
	add("ERROR", orEmpty(t.Error))
	add("ATTEMPT", strconv.Itoa(t.Attempt))
	add("COMMAND", strings.Join(append([]string{t.Command}, t.Args...), " "))
	add("CREATED_AT", t.CreatedAt)
	add("STARTED_AT", orEmpty(t.StartedAt))
	add("COMPLETED_AT", orEmpty(t.CompletedAt))
	add("LOG_PATH", orEmpty(t.LogPath))
	add("LOG_TAIL", orEmpty(t.LogTail))
	return env
}

// clip returns the begin of a text that is too long for a variable.
func clip(s string) string {
	s = strings.ReplaceAll(s, "\x00", "")
	if len(s) <= mostBytes {
		return s
	}
	return strings.ToValidUTF8(s[:mostBytes], "") + "…"
}

func orEmpty(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
