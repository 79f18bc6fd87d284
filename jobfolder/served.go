package jobfolder

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Holder is a running process of the program that wrote a job's folder.
type Holder struct {
	PID  int
	File string // with its PID
	What string // manager or runner
}

// ServedBy returns the process of the program that wrote a job's folder, if it is still
// running there, or nil. That program writes its PIDs to manager.pid in its base path
// and runner.pid in a job's folder, and leaves these files behind when it is killed.
func ServedBy(folder string) *Holder {
	folder, err := filepath.Abs(folder)
	if err != nil {
		return nil
	}
	if h := living(filepath.Join(folder, "runner.pid"), "runner"); h != nil {
		return h
	}
	// The folder may be in jobs itself, or a link to it may be.
	names := []string{folder}
	if real, err := filepath.EvalSymlinks(folder); err == nil && real != folder {
		names = append(names, real)
	}
	for _, name := range names {
		if parent := filepath.Dir(name); filepath.Base(parent) == JobsName {
			if h := BaseServedBy(filepath.Dir(parent)); h != nil {
				return h
			}
		}
	}
	return nil
}

// BaseServedBy returns that program's manager of a base path, if it is running, or nil.
func BaseServedBy(base string) *Holder {
	return living(filepath.Join(base, "manager.pid"), "manager")
}

func living(file, what string) *Holder {
	if pid := livingPID(file); pid > 0 {
		return &Holder{PID: pid, File: file, What: what}
	}
	return nil
}

// livingPID returns the PID in a file if that process is running and may have written
// it, else 0.
func livingPID(path string) int {
	f, err := open(path)
	if err != nil {
		return 0
	}
	defer f.Close()
	var content [64]byte
	n, _ := f.Read(content[:])
	pid, err := strconv.Atoi(strings.TrimSpace(string(content[:n])))
	if err != nil || pid <= 0 {
		return 0
	}
	if err := syscall.Kill(pid, 0); err != nil && !errors.Is(err, syscall.EPERM) {
		return 0
	}
	info, err := f.Stat()
	if err != nil || !mayBeIt(pid, info.ModTime()) {
		return 0
	}
	return pid
}

// mayBeIt reports whether a process may be the one that wrote its PID to a file at this
// time. PIDs are reused, so it checks the command line, if the system shows it. If that
// names the program, and not this one, the process counts. Any other Python process
// counts if it was running when the file was written, which is only a guess, because
// clocks may be set.
func mayBeIt(pid int, written time.Time) bool {
	proc := filepath.Join("/proc", strconv.Itoa(pid))
	line, err := os.ReadFile(filepath.Join(proc, "cmdline"))
	if err != nil || len(line) == 0 {
		return err != nil // it cannot be seen, is a kernel thread, or has ended
	}
	line = bytes.ToLower(line)
	if bytes.Contains(line, []byte("air-executor")) || bytes.Contains(line, []byte("air_executor")) {
		return !isThisProgram(proc)
	}
	if !bytes.Contains(line, []byte("python")) && !bytes.Contains(line, []byte("pypy")) {
		return false
	}
	started, ok := startedAt(pid)
	const moment = 10 * time.Second
	return !ok || started.Before(written.Add(moment))
}

// isThisProgram reports whether a process runs the same program as this one.
func isThisProgram(proc string) bool {
	ours, err := os.Stat("/proc/self/exe")
	if err != nil {
		return false
	}
	its, err := os.Stat(filepath.Join(proc, "exe"))
	return err == nil && os.SameFile(ours, its)
}
