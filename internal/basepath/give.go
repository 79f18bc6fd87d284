package basepath

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"
)

// What root makes in another user's base path must belong to that user, who could not
// work there otherwise. The functions below must only be used for files that this
// process has just made: another file of root in the user's folder may have been moved
// there by the user, in order to get it. They do nothing if this process is not root,
// or if the system does not let root give files away.

// Give gives a new file to the owner of its folder.
func Give(f *os.File) {
	if uid, gid, ok := heir(f.Name()); ok {
		_ = f.Chown(uid, gid)
	}
}

// GiveLink is Give for a new symbolic link.
func GiveLink(path string) {
	if uid, gid, ok := heir(path); ok {
		_ = os.Lchown(path, uid, gid)
	}
}

// heir returns the user to whom root gives what it makes at path.
func heir(path string) (uid, gid int, ok bool) {
	if os.Geteuid() != 0 {
		return 0, 0, false
	}
	info, err := os.Stat(filepath.Dir(path))
	if err != nil {
		return 0, 0, false
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok || st.Uid == 0 {
		return 0, 0, false
	}
	return int(st.Uid), int(st.Gid), true
}

// MkdirAll makes a folder in the base path and its parents, accessible by their owner
// only, and gives them away as Give does.
func MkdirAll(path string) error {
	err := os.Mkdir(path, 0o700)
	if errors.Is(err, fs.ErrNotExist) {
		if err := MkdirAll(filepath.Dir(path)); err != nil {
			return err
		}
		err = os.Mkdir(path, 0o700)
	}
	if errors.Is(err, fs.ErrExist) {
		return os.MkdirAll(path, 0o700) // an error if it is not a folder
	}
	if err != nil || os.Geteuid() != 0 {
		return err
	}
	f, err := os.OpenFile(path, unix.O_DIRECTORY|unix.O_NOFOLLOW, 0)
	if err != nil {
		return err
	}
	Give(f)
	return f.Close()
}

// Denied says why this user has no access to path, and what to do about it; empty if
// that is unknown.
func Denied(path string) (why, hint string) {
	for at := path; ; at = filepath.Dir(at) {
		info, err := os.Lstat(at)
		if at == filepath.Dir(at) || err != nil && !errors.Is(err, fs.ErrPermission) && !errors.Is(err, fs.ErrNotExist) {
			return "", ""
		}
		if err != nil {
			continue // it cannot be examined because of a parent
		}
		owner, is := foreign(info)
		if !is {
			return fmt.Sprintf("%s has mode %04o", at, info.Mode().Perm()), ""
		}
		hint = giveBack(at)
		if owner != 0 || hint == "" {
			hint = "its owner can change that; or choose another base path with --base-path"
		}
		return fmt.Sprintf("%s is owned by uid %d, not by you (uid %d)", at, owner, os.Geteuid()), hint
	}
}

// giveBack returns a hint on how to get back what root has made in this user's own
// folder; empty if the folder is not this user's.
func giveBack(path string) string {
	folder := filepath.Dir(path)
	info, err := os.Stat(folder)
	if err != nil {
		return ""
	}
	if _, is := foreign(info); is {
		return ""
	}
	return fmt.Sprintf("root has made it in your folder; when no manager of root serves it: sudo chown -R %d:%d %s", os.Geteuid(), os.Getegid(), folder)
}
