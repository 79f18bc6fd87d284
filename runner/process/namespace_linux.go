package process

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
)

// InitialNamespace is the PID namespace of the machine itself, in which every
// process can be seen: PROC_PID_INIT_INO, see include/linux/proc_ns.h.
const InitialNamespace = 0xEFFFFFFC

// Namespace returns the number of the PID namespace of this process; 0: the system has
// none. No two namespaces that exist at the same time have the same number.
func Namespace() (int64, error) {
	n, err := namespaceOf("self")
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	return n, err
}

// SeesNamespace reports whether /proc shows a process of that PID namespace. If it
// shows one, it shows all of them.
func SeesNamespace(namespace int64) bool {
	var l look
	for _, s := range l.processes() {
		if n, err := namespaceOf(strconv.Itoa(s.pid)); err == nil && n == namespace {
			return true
		}
	}
	return false
}

// namespaceOf reads a link such as "pid:[4026531836]", see namespaces(7).
func namespaceOf(pid string) (int64, error) {
	path := "/proc/" + pid + "/ns/pid"
	link, err := os.Readlink(path)
	if err != nil {
		return 0, err
	}
	digits := strings.TrimSuffix(strings.TrimPrefix(link, "pid:["), "]")
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("%s is %q, and not as namespaces(7) says", path, link)
	}
	return n, nil
}
