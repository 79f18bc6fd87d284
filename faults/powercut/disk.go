//go:build linux

package main

import (
	"math/rand/v2"
	"os"
	"path/filepath"
)

// disk is what a power cut may leave of a folder, given what was done so far.
//
// It promises as little as POSIX does. What a file holds is durable after an
// fsync of the file, and only as far as it was written before that fsync
// began. A name is durable after an fsync of the folder. All else may be there
// or not: of unsynced writes any subset, each torn at sectors; of unsynced
// changes of names a prefix.
type disk struct {
	dir     string
	names   map[string]*file // as programs see it
	kept    map[string]*file // as it is sure to be
	changes []change         // of names, not durable yet
	syncing map[int]flush    // by thread
}

type file struct {
	kept    []byte
	pending []patch
}

// patch is an unsynced write, or with data nil a truncation to the offset.
type patch struct {
	offset int64
	data   []byte
	by     int // process
}

// change is a name that came or, with file nil, went.
type change struct {
	name string
	file *file
}

// flush is an fsync under way: of so many patches of a file, or changes of the folder.
type flush struct {
	file *file
	n    int
}

const sector = 512

func newDisk(dir string) *disk {
	return &disk{dir: dir, names: map[string]*file{}, kept: map[string]*file{}, syncing: map[int]flush{}}
}

// ours returns the name of a file whose content matters for the database. The
// shared memory is not among them: it does not outlive the processes.
func (d *disk) ours(path string) (string, bool) {
	name := filepath.Base(path)
	switch name {
	case "air-executor.db", "air-executor.db-wal", "air-executor.db-journal":
		return name, filepath.Dir(path) == d.dir
	}
	return "", false
}

// apply does what an event does to the disk, and reports whether it did anything.
func (d *disk) apply(e event) bool {
	if e.path == d.dir {
		return d.syncFolder(e)
	}
	name, ok := d.ours(e.path)
	if !ok {
		return false
	}
	f := d.names[name]
	if (f == nil) != (e.op == opCreate) {
		return false // opened again, or no longer there
	}
	switch e.op {
	case opCreate:
		d.rename(name, &file{})
	case opUnlink:
		d.rename(name, nil)
	case opWrite:
		f.pending = append(f.pending, patch{e.offset, e.data, e.proc})
	case opTruncate:
		f.pending = append(f.pending, patch{e.size, nil, e.proc})
	case opSyncBegin:
		d.syncing[e.pid] = flush{f, len(f.pending)}
	case opSyncEnd:
		s := d.syncing[e.pid]
		for _, p := range s.file.pending[:s.n] {
			s.file.kept = p.on(s.file.kept)
		}
		s.file.pending = s.file.pending[s.n:]
		for pid, other := range d.syncing { // those that run at the same time have less to do
			if other.file == s.file {
				d.syncing[pid] = flush{other.file, max(other.n-s.n, 0)}
			}
		}
	default:
		return false
	}
	return true
}

func (d *disk) rename(name string, f *file) {
	d.changes = append(d.changes, change{name, f})
	d.names[name] = f
	if f == nil {
		delete(d.names, name)
	}
}

// syncFolder makes names durable.
func (d *disk) syncFolder(e event) bool {
	switch e.op {
	case opSyncBegin:
		d.syncing[e.pid] = flush{nil, len(d.changes)}
	case opSyncEnd:
		n := min(d.syncing[e.pid].n, len(d.changes))
		for _, c := range d.changes[:n] {
			c.on(d.kept)
		}
		d.changes = d.changes[n:]
	default:
		return false
	}
	return true
}

func (c change) on(names map[string]*file) {
	names[c.name] = c.file
	if c.file == nil {
		delete(names, c.name)
	}
}

// on returns content with the patch.
func (p patch) on(content []byte) []byte {
	if p.data == nil {
		return resize(content, p.offset)
	}
	if end := p.offset + int64(len(p.data)); end > int64(len(content)) {
		content = resize(content, end)
	}
	copy(content[p.offset:], p.data)
	return content
}

func resize(b []byte, size int64) []byte {
	if size <= int64(len(b)) {
		return b[:size]
	}
	return append(b, make([]byte, size-int64(len(b)))...)
}

// unsynced is how many writes of a process to the write-ahead log a power cut
// could take.
func (d *disk) unsynced(proc int) (n int) {
	if f := d.names["air-executor.db-wal"]; f != nil {
		for _, p := range f.pending {
			if p.by == proc {
				n++
			}
		}
	}
	return n
}

// cut writes to the folder what one power cut at this moment leaves.
func (d *disk) cut(rng *rand.Rand, to string) error {
	if err := os.MkdirAll(to, 0o700); err != nil {
		return err
	}
	fate := drawFate(rng)
	names := map[string]*file{}
	for n, f := range d.kept {
		names[n] = f
	}
	for _, c := range d.changes[:fate.prefix(rng, len(d.changes))] {
		c.on(names)
	}
	for n, f := range names {
		content := append([]byte(nil), f.kept...)
		for _, p := range f.pending {
			content = fate.on(rng, content, p)
		}
		if err := os.WriteFile(filepath.Join(to, n), content, 0o600); err != nil {
			return err
		}
	}
	if rng.IntN(4) == 0 { // shared memory of the time before, which must not be believed
		junk := make([]byte, 32768)
		for i := range junk {
			junk[i] = byte(rng.Uint32())
		}
		return os.WriteFile(filepath.Join(to, "air-executor.db-shm"), junk, 0o600)
	}
	return nil
}

// fate is how much a power cut leaves of what was not synced, in parts of 100.
type fate int

func drawFate(rng *rand.Rand) fate {
	switch p := rng.IntN(10); p {
	case 0:
		return 0
	case 1:
		return 100
	default:
		return fate(10 * p)
	}
}

func (f fate) prefix(rng *rand.Rand, n int) int {
	switch f {
	case 0:
		return 0
	case 100:
		return n
	}
	return rng.IntN(n + 1)
}

// on applies the patch, in part, or not.
func (f fate) on(rng *rand.Rand, content []byte, p patch) []byte {
	if rng.IntN(100) >= int(f) {
		return content
	}
	if f == 100 || p.data == nil || rng.IntN(3) > 0 {
		return p.on(content)
	}
	for at := 0; at < len(p.data); {
		// Sectors end where the disk's do, not where the write began.
		n := min(sector-int((p.offset+int64(at))%sector), len(p.data)-at)
		if rng.IntN(2) == 0 {
			content = patch{offset: p.offset + int64(at), data: p.data[at : at+n]}.on(content)
		}
		at += n
	}
	return content
}
