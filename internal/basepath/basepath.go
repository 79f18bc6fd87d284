// Package basepath finds, creates and checks the base path, the folder that holds
// everything. What is queued there runs as the user who starts the manager, and it
// stores the environments of shells. So the folder must belong to that user alone, and
// a file in it is never trusted just because of its name.
package basepath

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
)

// AllowForeign is the environment variable that turns off the check of owners.
const AllowForeign = "AIR_EXECUTOR_ALLOW_FOREIGN_BASE_PATH"

// Untrusted is the error about a folder or file that belongs to another user, or that
// other users may write to.
type Untrusted struct {
	Path string
	Why  string // "is owned by uid 1000, not by you (uid 0)"
	Hint string // what to do about it
}

// Error returns the path and what is wrong with it.
func (e *Untrusted) Error() string { return e.Path + " " + e.Why }

// Check returns an error of type *Untrusted unless the folder (or file) at path belongs
// to the effective user, and no other user may write to it. For root under sudo, the
// user who called sudo is accepted too. A link must have the same owner as its target.
// A missing path is no error.
func Check(path string) error {
	info, err := os.Lstat(path)
	if err != nil {
		return ignoreMissing(err)
	}
	if info.Mode()&fs.ModeSymlink != 0 {
		if owner, ok := foreign(info); ok {
			return foreignError(path, owner)
		}
		if info, err = os.Stat(path); err != nil {
			return ignoreMissing(err)
		}
	}
	return CheckInfo(path, info)
}

// CheckInfo is Check for the result of an earlier stat of something that is not a link.
func CheckInfo(path string, info fs.FileInfo) error {
	if owner, ok := foreign(info); ok {
		return foreignError(path, owner)
	}
	return checkMode(path, info)
}

// CheckConfig is CheckInfo for a configuration file, which root may own too, so that
// one file can serve many users.
func CheckConfig(path string, info fs.FileInfo) error {
	if owner, ok := foreign(info); ok && owner != 0 {
		return foreignError(path, owner)
	}
	return checkMode(path, info)
}

func ignoreMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
		return nil
	}
	return err
}

// foreign returns the owner, and whether that is another user.
func foreign(info fs.FileInfo) (owner uint32, is bool) {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, false
	}
	me := uint32(os.Geteuid())
	if st.Uid == me {
		return st.Uid, false
	}
	if me == 0 {
		caller, err := strconv.ParseUint(os.Getenv("SUDO_UID"), 10, 32)
		if err == nil && st.Uid == uint32(caller) {
			return st.Uid, false
		}
	}
	return st.Uid, true
}

func foreignError(path string, owner uint32) error {
	e := &Untrusted{
		Path: path,
		Why:  fmt.Sprintf("is owned by uid %d, not by you (uid %d)", owner, os.Geteuid()),
		Hint: "its owner could run commands as you; if you trust them, add --allow-foreign-base-path or set " + AllowForeign + "=1; otherwise choose another with --base-path",
	}
	if hint := giveBack(path); owner == 0 && hint != "" {
		e.Hint = hint
	}
	return e
}

func checkMode(path string, info fs.FileInfo) error {
	const othersWrite = 0o022
	if info.Mode().Perm()&othersWrite == 0 {
		return nil
	}
	return &Untrusted{
		Path: path,
		Why:  fmt.Sprintf("may be written to by other users (mode %04o)", info.Mode().Perm()),
		Hint: "run chmod go-w on it, or if they are meant to, add --allow-foreign-base-path or set " + AllowForeign + "=1",
	}
}

// signs are names of which a base path in use has at least one.
var signs = []string{"air-executor.db", "jobs", "config.yaml"}

// Find looks for a base path called name in the folder dir and its parents, and returns
// the nearest, or "" if there is none. The search ends at home if dir is inside it,
// else at the root. A folder of this name counts if it has a database, a folder jobs or
// a config.yaml. Above dir, other users' base paths are skipped, unless foreign allows
// them: one that a user leaves in /tmp must not affect everyone who works below it. The
// skipped ones are returned too.
func Find(name, dir, home string, foreign bool) (found string, passed []string) {
	for at := dir; ; at = filepath.Dir(at) {
		path := filepath.Join(at, name)
		if inUse(path) {
			if foreign || at == dir || !foreignFolder(path) {
				return path, passed
			}
			passed = append(passed, path)
		}
		if at == home || at == filepath.Dir(at) {
			return "", passed
		}
	}
}

func inUse(path string) bool {
	if info, err := os.Stat(path); err != nil || !info.IsDir() {
		return false
	}
	for _, sign := range signs {
		// An unreadable folder belongs to another user, and may be a base path.
		if _, err := os.Lstat(filepath.Join(path, sign)); err == nil || errors.Is(err, fs.ErrPermission) {
			return true
		}
	}
	return false
}

func foreignFolder(path string) bool {
	for _, look := range []func(string) (fs.FileInfo, error){os.Lstat, os.Stat} {
		info, err := look(path)
		if err != nil {
			return true
		}
		if _, is := foreign(info); is {
			return true
		}
	}
	return false
}

// ignore keeps databases, which hold secrets, out of version control.
const ignore = "# Made by air-executor. The database may hold secrets; keep it out of version control.\n*\n"

// Make makes the folder and its parents, accessible by its owner only, unless it
// exists. A new one is durable, and gets a .gitignore, as does an existing one that is
// empty or ours alone. It reports whether it has made the folder.
func Make(path string) (made bool, err error) {
	err = os.Mkdir(path, 0o700)
	if errors.Is(err, fs.ErrNotExist) {
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return false, err
		}
		err = os.Mkdir(path, 0o700)
	}
	if errors.Is(err, fs.ErrExist) {
		if err := os.MkdirAll(path, 0o700); err != nil {
			return false, err // it is not a folder
		}
		if !ours(path) {
			return false, nil
		}
		return false, writeIgnore(path)
	}
	if err != nil {
		return false, err
	}
	if err = writeIgnore(path); err == nil {
		err = syncParent(filepath.Dir(path))
	}
	return true, err
}

// writeIgnore writes a .gitignore, unless the user or another process has written one.
func writeIgnore(folder string) error {
	err := writeNew(filepath.Join(folder, ".gitignore"), ignore)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	return err
}

// ours reports whether an existing folder is used for nothing else: it is empty, or it
// has our name and no database yet. A folder of another user, or one with other files,
// gets no .gitignore.
func ours(path string) bool {
	if Check(path) != nil {
		return false
	}
	entries, err := os.ReadDir(path)
	if err != nil || len(entries) == 0 {
		return err == nil
	}
	_, err = os.Lstat(filepath.Join(path, signs[0]))
	return filepath.Base(path) == ".air-executor" && errors.Is(err, fs.ErrNotExist)
}

// writeNew writes a file that must not exist.
func writeNew(path, content string) error {
	f, err := Open(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.WriteString(content)
	return errors.Join(err, f.Close())
}

// SyncFolder makes the names of the files in a folder durable. It returns errors of the
// system.
func SyncFolder(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	return f.Sync()
}

// syncParent is SyncFolder for a folder that may belong to another user: it may not be
// readable, and its file system may not support fsync(2).
func syncParent(path string) error {
	err := SyncFolder(path)
	if errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EINVAL) {
		return nil
	}
	return err
}
