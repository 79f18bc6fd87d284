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

// What root makes in the base path of another user must be that user's, or the
// user could not go on there. The functions below are for what this process has
// just made, and nothing else: a file of root that lies in a folder of a user may
// have been moved there to be given away. They do nothing for other users, and
// nothing where the system does not let root give files away.

// Give gives a new file to the owner of the folder in which it is.
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

// heir is to whom root gives what it makes at path.
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

// MkdirAll makes a folder in the base path, and those above it, for their owner
// only, and gives them as Give does.
func MkdirAll(path string) error {
	err := os.Mkdir(path, 0o700)
	if errors.Is(err, fs.ErrNotExist) {
		if err := MkdirAll(filepath.Dir(path)); err != nil {
			return err
		}
		err = os.Mkdir(path, 0o700)
	}
	if errors.Is(err, fs.ErrExist) {
		return os.MkdirAll(path, 0o700) // an error if it is no folder
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

// Denied says who owns what keeps this user from path, and what to do about it;
// empty if that cannot be told.
func Denied(path string) (why, hint string) {
	for at := path; ; at = filepath.Dir(at) {
		info, err := os.Lstat(at)
		if at == filepath.Dir(at) || err != nil && !errors.Is(err, fs.ErrPermission) && !errors.Is(err, fs.ErrNotExist) {
			return "", ""
		}
		if err != nil {
			continue // what is above says why it cannot be looked at
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

// giveBack says how to get back what root has made in a folder of one's own;
// empty if the folder is not.
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
