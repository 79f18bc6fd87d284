package basepath

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// What root makes for another user is root's until root has given it away, a moment
// later. This is how long its owner waits for that.
const (
	givenWithin = time.Second
	givenPause  = 5 * time.Millisecond
)

// Patient calls open, and calls it again while the system denies this user the file at
// path because root is just making it, or a folder above it, in a folder of this user.
func Patient(path string, open func() error) error {
	err := open()
	if !errors.Is(err, fs.ErrPermission) || os.Geteuid() == 0 {
		return err
	}
	for begun := time.Now(); time.Since(begun) < givenWithin && beingMade(path); time.Sleep(givenPause) {
		if err = open(); !errors.Is(err, fs.ErrPermission) {
			return err
		}
	}
	return open()
}

// beingMade reports whether root has just made path or a folder above it, in a folder
// of this user.
func beingMade(path string) bool {
	for at := path; at != filepath.Dir(at); at = filepath.Dir(at) {
		info, err := os.Lstat(at)
		if err != nil {
			continue // it cannot be examined because of a parent
		}
		owner, is := foreign(info)
		if is {
			return owner == 0 && giveBack(at) != "" && time.Since(changed(info)) < givenWithin
		}
		// It is this user's, perhaps only since a moment ago.
		return time.Since(changed(info)) < givenWithin
	}
	return false
}

// changed is when owner or mode of a file changed last.
func changed(info fs.FileInfo) time.Time {
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		return changeTime(st)
	}
	return time.Time{}
}
