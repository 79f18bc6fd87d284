package runner

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"

	"github.com/air-executor/air-executor/internal/basepath"
)

// binFolder is the folder in the base path in which tasks find this program under its
// proper name, whatever and wherever its file is.
const binFolder = "bin"

const programName = "air-executor"

// LinkProgram makes bin/air-executor in the base path a link to the program exe. It
// replaces nothing but such a link. An error says why tasks may not find air-executor;
// then nothing has changed.
func LinkProgram(base, exe string) error {
	wanted, err := checkLink(base, exe)
	if err != nil || !wanted {
		return err
	}
	folder := filepath.Join(base, binFolder)
	if err := basepath.MkdirAll(folder); err != nil {
		return err
	}
	// Two managers may do this at once; each replaces the link as a whole.
	fresh := filepath.Join(folder, fmt.Sprintf("%s.%d", programName, rand.Uint64()))
	if err := os.Symlink(exe, fresh); err != nil {
		return err
	}
	basepath.GiveLink(fresh)
	err = os.Rename(fresh, filepath.Join(folder, programName))
	if err != nil {
		os.Remove(fresh)
	}
	return err
}

// CheckLink returns the error that LinkProgram would return, and changes nothing.
func CheckLink(base, exe string) error {
	_, err := checkLink(base, exe)
	return err
}

// checkLink reports whether a link has to be made, or returns why none can be.
func checkLink(base, exe string) (wanted bool, err error) {
	folder := filepath.Join(base, binFolder)
	if !canList(folder) {
		return false, fmt.Errorf("tasks find air-executor only if it is in their PATH: a folder with a %q in its name, as %s, cannot be", filepath.ListSeparator, base)
	}
	info, err := os.Lstat(folder)
	if errors.Is(err, fs.ErrNotExist) {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	if !info.IsDir() {
		return false, notOurs(folder, info.Mode())
	}
	link := filepath.Join(folder, programName)
	info, err = os.Lstat(link)
	if errors.Is(err, fs.ErrNotExist) {
		return true, nil
	}
	if why, _ := basepath.Denied(link); errors.Is(err, fs.ErrPermission) && why != "" {
		return false, fmt.Errorf("tasks find air-executor only if it is in their PATH: permission denied: %s", why)
	}
	if err != nil {
		return false, err
	}
	if target, err := os.Readlink(link); err == nil && target == exe || sameFile(link, exe) {
		return false, nil // tasks find this program
	}
	if info.Mode()&fs.ModeSymlink == 0 || !onlyLinks(folder) {
		return false, notOurs(link, info.Mode())
	}
	return true, nil
}

// canList reports whether a folder can be an element of PATH.
func canList(folder string) bool { return !strings.ContainsRune(folder, filepath.ListSeparator) }

func notOurs(path string, mode fs.FileMode) error {
	return fmt.Errorf("tasks find air-executor only if it is in their PATH: %s is %s that air-executor has not made, and is left alone", path, basepath.Kind(mode))
}

func sameFile(a, b string) bool {
	infoA, errA := os.Stat(a)
	infoB, errB := os.Stat(b)
	return errA == nil && errB == nil && os.SameFile(infoA, infoB)
}

// onlyLinks reports whether a folder holds nothing but links such as LinkProgram makes,
// to absolute paths, under their final or temporary names.
func onlyLinks(folder string) bool {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return false
	}
	for _, e := range entries {
		target, err := os.Readlink(filepath.Join(folder, e.Name()))
		ours := e.Name() == programName || strings.HasPrefix(e.Name(), programName+".")
		if err != nil || !ours || !filepath.IsAbs(target) {
			return false
		}
	}
	return true
}

// ProgramLinked reports whether bin/air-executor in the base path leads to a
// program.
func ProgramLinked(base string) bool {
	info, err := os.Stat(filepath.Join(base, binFolder, programName))
	return err == nil && info.Mode().IsRegular()
}
