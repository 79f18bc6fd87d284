package api

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/air-executor/air-executor/internal/basepath"
)

// The files of the tokens in the base path.
const (
	TokenName     = "api.token"      // may do everything
	ReadTokenName = "api.read.token" // may read
)

// role is what a caller may do.
type role string

const (
	nobody role = ""
	reader role = role(Read)
	owner  role = role(Full)
)

// tokens are the contents of the two files. A file that was replaced is read again, and
// one that was removed is made anew.
type tokens struct {
	mu    sync.Mutex
	files map[role]*tokenFile
}

type tokenFile struct {
	path string
	is   os.FileInfo
	text string
}

// openTokens reads the files, and makes those that are missing.
func openTokens(base string) (*tokens, error) {
	t := &tokens{files: map[role]*tokenFile{
		owner:  {path: filepath.Join(base, TokenName)},
		reader: {path: filepath.Join(base, ReadTokenName)},
	}}
	for _, f := range t.files {
		if err := f.read(); err != nil {
			return nil, err
		}
	}
	return t, nil
}

// text returns the token of a role as it is now.
func (t *tokens) text(r role) (string, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	f := t.files[r]
	now, err := os.Lstat(f.path)
	if err == nil && os.SameFile(now, f.is) && now.ModTime().Equal(f.is.ModTime()) && now.Size() == f.is.Size() {
		return f.text, nil
	}
	err = f.read()
	return f.text, err
}

// role returns what somebody with this token may do. It takes as long for any token.
func (t *tokens) role(token string) (role, error) {
	got := sha256.Sum256([]byte(token))
	found := nobody
	for _, r := range []role{reader, owner} {
		text, err := t.text(r)
		if err != nil {
			return nobody, err
		}
		want := sha256.Sum256([]byte(text))
		if subtle.ConstantTimeCompare(got[:], want[:]) == 1 {
			found = r
		}
	}
	return found, nil
}

// read reads the file, and makes it first if there is none.
func (f *tokenFile) read() error {
	file, err := basepath.Open(f.path, os.O_RDONLY, 0)
	if errors.Is(err, fs.ErrNotExist) {
		if err := makeToken(f.path); err != nil {
			return err
		}
		file, err = basepath.Open(f.path, os.O_RDONLY, 0)
	}
	if err != nil {
		return err
	}
	defer file.Close()
	if f.is, err = file.Stat(); err != nil {
		return err
	}
	if f.is.Mode().Perm()&0o077 != 0 {
		return fmt.Errorf("%s can be read by others: chmod 600 %s, or remove it to get a new one", f.path, f.path)
	}
	const most = 1 << 10
	text, err := io.ReadAll(io.LimitReader(file, most))
	if err != nil {
		return err
	}
	f.text = strings.TrimSpace(string(text))
	const least = 32 // characters: it could be guessed
	if len(f.text) < least {
		return fmt.Errorf("%s has no token of at least %d characters: remove it to get a new one", f.path, least)
	}
	return nil
}

// makeToken makes a file with a new token. It has its name only once all is in it, and
// replaces none that another process has made meanwhile.
func makeToken(path string) error {
	unfinished := fmt.Sprintf("%s.%d", path, os.Getpid())
	f, err := basepath.Open(unfinished, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer os.Remove(unfinished)
	_, err = f.WriteString(secret() + "\n")
	if err == nil {
		err = f.Sync()
	}
	if err := errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("make %s: %w", path, err)
	}
	if err := os.Link(unfinished, path); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil
}

// secret is 256 random bits as text.
func secret() string {
	var b [32]byte
	_, _ = rand.Read(b[:]) // it never fails
	return base64.RawURLEncoding.EncodeToString(b[:])
}
