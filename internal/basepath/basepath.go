// Package basepath finds, creates and checks the base path, the folder that holds
// everything. What is queued there runs as the user who starts the manager, and it
// stores the environments of shells. So the folder must belong to that user
// alone, and a file in it is never assumed to be ours just because of its name.
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

// AllowForeign is the variable that turns the check of owners off.
const AllowForeign = "AIR_EXECUTOR_ALLOW_FOREIGN_BASE_PATH"

// Untrusted is the error for a folder or file that belongs to another user, or
// that other users may write to.
type Untrusted struct {
	Path string
	Why  string // "is owned by uid 1000, not by you (uid 0)"
	Hint string // what to do about it
}

// Error names the path and says what is wrong.
func (e *Untrusted) Error() string { return e.Path + " " + e.Why }

// Check returns an error of type *Untrusted unless the folder (or the file) at
// path belongs to the effective user, and nobody else may write to it. For root
// under sudo, the user who called sudo is accepted too. A link must belong to the same
// users as what it points to. A missing path is no error.
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

// CheckInfo is Check for the result of an earlier stat, of something that is not a link.
func CheckInfo(path string, info fs.FileInfo) error {
	if owner, ok := foreign(info); ok {
		return foreignError(path, owner)
	}
	return checkMode(path, info)
}

// CheckConfig is CheckInfo for a configuration file, which may also be root's:
// that is how one file serves many users.
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

// foreign returns the owner, and whether that is somebody else.
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

// signs are the names of which at least one is in a base path that is in use.
var signs = []string{"air-executor.db", "jobs", "config.yaml"}

// Find looks for a base path called name in the folder dir and those above it,
// and returns the nearest, or "" if there is none. The search ends at home if dir
// is inside, else at the root. A folder of this name counts if there is a
// database, a folder jobs or a config.yaml in it. Above dir, those of other users
// are skipped, unless foreign allows them: one that somebody leaves in /tmp
// must not stop others from working below it. They are returned too.
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
		// A folder that we may not read belongs to another user, and may be a base path.
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

// Make makes the folder and those above it, for its owner only, unless it is
// there. A new one is durable, and holds a .gitignore; so does one in which we are
// the first to put anything. It reports whether it has made the folder.
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
			return false, err // it is no folder
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

// writeIgnore writes a .gitignore, unless one is there: of the user, or of another
// process that was faster.
func writeIgnore(folder string) error {
	err := writeNew(filepath.Join(folder, ".gitignore"), ignore)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	return err
}

// ours reports whether a folder that was there is used for nothing else: there is
// nothing in it, or it has our name and no database yet. In one of somebody else,
// who may not want us, and in one with other files, nothing is to be ignored.
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

// writeNew writes a file that must not be there.
func writeNew(path, content string) error {
	f, err := Open(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.WriteString(content)
	return errors.Join(err, f.Close())
}

// SyncFolder makes the names of the files in a folder durable. Errors are those
// of the system.
func SyncFolder(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	return f.Sync()
}

// syncParent is SyncFolder for a folder that may belong to another user: we may be
// able to enter it but not to list it, and its file system may not support sync.
func syncParent(path string) error {
	err := SyncFolder(path)
	if errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EINVAL) {
		return nil
	}
	return err
}
