package strictyaml

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"
	"unicode/utf8"
)

// MaxSize is the size in bytes of the largest file that is accepted.
const MaxSize = 16 << 20

// ReadFile returns the content of a file. Its errors are of type *Error, contain the
// path, and wrap those of the system.
func ReadFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, readError(path, err)
	}
	defer f.Close()
	return Read(path, f)
}

// Read returns the content of r. Errors are of type *Error, and call it by this name.
func Read(name string, r io.Reader) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, MaxSize+1))
	if err != nil {
		return nil, readError(name, err)
	}
	return data, nil
}

// readError returns a short error about a file that cannot be read.
func readError(name string, err error) *Error {
	msg := "cannot be read: " + err.Error()
	var path *fs.PathError
	switch {
	case errors.Is(err, fs.ErrNotExist):
		msg = "no such file"
	case errors.Is(err, fs.ErrPermission):
		msg = "no permission to read this file"
	case errors.Is(err, syscall.EISDIR):
		msg = "is a folder, not a file"
	case errors.As(err, &path):
		msg = "cannot be read: " + path.Err.Error()
	}
	return &Error{File: name, Msg: msg, Err: err}
}

// checkText returns data without its byte order mark, or an error if it is not valid
// text for YAML.
func checkText(name string, data []byte) ([]byte, error) {
	if len(data) > MaxSize {
		return nil, &Error{File: name, Msg: fmt.Sprintf("is larger than %d MiB", MaxSize>>20)}
	}
	if bytes.HasPrefix(data, []byte("\xff\xfe")) || bytes.HasPrefix(data, []byte("\xfe\xff")) {
		return nil, &Error{File: name, Msg: "is UTF-16 text; save it as UTF-8"}
	}
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	line := 1
	for i := 0; i < len(data); {
		r, size := utf8.DecodeRune(data[i:])
		if problem := badRune(r, size); problem != nil {
			return nil, &Error{File: name, Line: line, Msg: problem.Error(), Err: problem}
		}
		if r == '\n' {
			line++
		}
		i += size
	}
	return data, nil
}

// ErrNotUTF8 is wrapped in the error for a file with bytes that are not UTF-8.
var ErrNotUTF8 = errors.New("is not valid UTF-8")

// badRune returns what is wrong with a character, or nil.
func badRune(r rune, size int) error {
	switch {
	case r == utf8.RuneError && size <= 1:
		return ErrNotUTF8
	case r == 0:
		return errors.New("contains a NUL byte; is this a text file in UTF-8?")
	case r < ' ' && r != '\t' && r != '\n' && r != '\r', r == 0xFFFE, r == 0xFFFF:
		return fmt.Errorf("contains the control character %U", r)
	}
	return nil
}
