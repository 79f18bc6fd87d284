package queue

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"time"
)

// mostOutput is how much the command of a foreach may print, in bytes.
const mostOutput = 16 << 20

// Output returns what runs the command of a foreach of a job file, in the environment
// of this process, until ctx ends. It returns what the command has printed.
func Output(ctx context.Context) func(dir string, command []string) ([]byte, error) {
	return func(dir string, command []string) ([]byte, error) {
		var out, said bytes.Buffer
		c := exec.CommandContext(ctx, command[0], command[1:]...)
		c.Dir, c.Stdout, c.Stderr = dir, &most{buffer: &out}, &said
		c.WaitDelay = time.Second // for what it has left behind
		err := c.Run()
		if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
			err = fmt.Errorf("the command ended with %s", exit.ProcessState)
			lines := strings.Split(strings.TrimSpace(said.String()), "\n")
			if last := lines[len(lines)-1]; last != "" {
				err = fmt.Errorf("%w: %.200s", err, strings.ToValidUTF8(last, "\ufffd"))
			}
		}
		return out.Bytes(), err
	}
}

// most is a buffer that refuses more than a foreach can use.
type most struct{ buffer *bytes.Buffer }

func (m *most) Write(b []byte) (int, error) {
	if m.buffer.Len()+len(b) > mostOutput {
		return 0, fmt.Errorf("the command prints more than %d MiB", mostOutput>>20)
	}
	return m.buffer.Write(b)
}
