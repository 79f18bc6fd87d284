package job

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// File names. A task id may be any printable text, so its log is named after
// an escaped form of it:
//
//   - letters and digits of any script and - _ + = @ , stay as they are, and so
//     do dots and blanks except where a rule below says otherwise;
//   - every other byte, a leading '.' or '-', and a leading or trailing blank
//     become '%' and two hexadecimal digits;
//   - in an id that ends in a dot and digits that dot is escaped too: a.1.log
//     is the first attempt of a, and never the log of a task a.1;
//   - a form that would be too long is cut, and ends in "%%" and a checksum of
//     the id. No other form contains "%%".
//
// Distinct ids have distinct names on a file system that tells upper from
// lower case.
const (
	maxEscaped = 200 // bytes; leaves room for ".1000000.log" in the 255 of a file name
	maxFolder  = 255 // bytes of a file name; nothing is appended to that of a folder
	sumMark    = "%%"
	sumBytes   = 16 // of the SHA-256, written as twice as many digits
)

// LogName returns the file name, without a folder, of the log of a task's current
// attempt. No other task or attempt has the same.
func LogName(id string) string { return escapeName(id) + ".log" }

// OldLogName returns the file name, without a folder, of the log of an earlier attempt
// of a task. Attempts count from 1.
func OldLogName(id string, attempt int) string {
	return escapeName(id) + "." + strconv.Itoa(attempt) + ".log"
}

// FolderName returns the name of the folder that holds the files of a job: the job's
// name or, if that is too long for a file name, its beginning and a checksum. A name
// that CheckName refuses is escaped, so that the folder is never outside its parent.
func FolderName(jobName string) string {
	if len(jobName) <= maxFolder && CheckName(jobName) == nil {
		return jobName
	}
	return escapeName(jobName)
}

// escapeName makes a file name of at most maxEscaped bytes.
func escapeName(name string) string {
	if name == "" {
		return "%" // no other name is escaped like this
	}
	const room = maxEscaped - len(sumMark) - 2*sumBytes
	var b strings.Builder
	cut := 0 // how much of b is kept if a checksum must follow
	attemptDot := attemptDot(name)
	for at, size := 0, 0; at < len(name); at += size {
		var r rune
		r, size = utf8.DecodeRuneInString(name[at:])
		if at != attemptDot && stays(r, at == 0, at+size == len(name)) {
			b.WriteString(name[at : at+size])
		} else {
			escapeBytes(&b, name[at:at+size])
		}
		if b.Len() <= room {
			cut = b.Len()
		}
	}
	if b.Len() <= maxEscaped {
		return b.String()
	}
	sum := sha256.Sum256([]byte(name))
	return b.String()[:cut] + sumMark + hex.EncodeToString(sum[:sumBytes])
}

// stays reports whether a character of a name needs no escape.
func stays(r rune, first, last bool) bool {
	switch r {
	case '_', '+', '=', '@', ',':
		return true
	case '.', '-':
		return !first
	case ' ':
		return !first && !last
	case utf8.RuneError:
		return false
	}
	return unicode.In(r, unicode.L, unicode.M, unicode.N)
}

// attemptDot returns the position of the dot in a name that ends in a dot and digits,
// or -1.
func attemptDot(name string) int {
	stem := strings.TrimRight(name, "0123456789")
	if stem == name || !strings.HasSuffix(stem, ".") {
		return -1
	}
	return len(stem) - 1
}

func escapeBytes(b *strings.Builder, s string) {
	const hexDigits = "0123456789ABCDEF"
	for i := range len(s) {
		b.WriteByte('%')
		b.WriteByte(hexDigits[s[i]>>4])
		b.WriteByte(hexDigits[s[i]&15])
	}
}
