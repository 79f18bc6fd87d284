package sqlite

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"unsafe"

	"modernc.org/libc"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/air-executor/air-executor/internal/basepath"
)

// The name of a new write-ahead log must be durable before a commit in it is, so SQLite
// flushes the folder of the log too when it flushes the log. It does so once in every
// process, because it cannot know that another process has done it. Here, the process
// that flushes the folder marks the log, and the others see the mark.
//
// The mark is a bit in the mode of the file (the sticky bit, which means nothing on a
// file). It is set after the folder was flushed, and is lost with the file: a later log
// is a new file, without the mark.
const flushed = fs.ModeSticky

// cFunc is the type of SQLite's openDirectory.
type cFunc = func(tls *libc.TLS, path, fd uintptr) int32

// syncWAL has SQLite call openWALFolder, and flush files with fdatasync(2), which makes
// the same things durable as fsync(2), except the times of the file.
var syncWAL = sync.OnceFunc(func() {
	_, _ = sqlite.Fdatasync(true) // where it is not available, fsync(2) stays in use
	tls := libc.NewTLS()
	defer tls.Close()
	name, err := libc.CString("openDirectory")
	if err != nil {
		return
	}
	defer libc.Xfree(tls, name)
	vfs := sqlite3.Xsqlite3_vfs_find(tls, 0)
	if vfs == 0 {
		return
	}
	methods := *(**sqlite3.Tsqlite3_vfs)(unsafe.Pointer(&vfs))
	get := methods.FxGetSystemCall
	original := (*(*func(*libc.TLS, uintptr, uintptr) uintptr)(unsafe.Pointer(&struct{ uintptr }{get})))(tls, vfs, name)
	if original == 0 {
		return
	}
	openFolder = *(*cFunc)(unsafe.Pointer(&struct{ uintptr }{original}))
	set := methods.FxSetSystemCall
	(*(*func(*libc.TLS, uintptr, uintptr, uintptr) int32)(unsafe.Pointer(&struct{ uintptr }{set})))(tls, vfs, name, pointer(openWALFolder))
})

// openFolder is SQLite's own openDirectory.
var openFolder cFunc

// pointer turns a function into a pointer that SQLite, translated from C, can call.
func pointer(f cFunc) uintptr { return *(*uintptr)(unsafe.Pointer(&f)) }

// openWALFolder replaces SQLite's openDirectory, which opens a folder so that SQLite
// can flush it. Its result tells SQLite that there is no folder to flush.
func openWALFolder(tls *libc.TLS, path, fd uintptr) int32 {
	name := libc.GoString(path)
	if !strings.HasSuffix(name, suffixes[1]) || !flushOnce(name) {
		return openFolder(tls, path, fd)
	}
	return sqlite3.SQLITE_CANTOPEN
}

// flushOnce flushes the folder of a write-ahead log, unless that was done since
// the log was made. It reports whether the name of the log is durable.
func flushOnce(wal string) bool {
	before, err := os.Lstat(wal)
	if err != nil {
		return false
	}
	if before.Mode()&flushed != 0 {
		return true
	}
	if err := basepath.SyncFolder(filepath.Dir(wal)); err != nil {
		return false
	}
	if after, err := os.Lstat(wal); err == nil && os.SameFile(before, after) {
		_ = os.Chmod(wal, after.Mode()|flushed) // fails for another user's file: the next process flushes again
	}
	return true
}
