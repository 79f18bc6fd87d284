package job

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/air-executor/air-executor/internal/words"
)

// The limits of names.
const (
	MaxNameRunes = 100 // of a job name
	MaxIDBytes   = 255 // of a task id
)

// CheckName returns an error that says what is wrong with a job name, or nil.
// A job name is 1 to 100 letters and digits (of any script, as in ² and Ⅷ), '-' and '_'.
func CheckName(name string) error {
	if name == "" {
		return fmt.Errorf("job name is empty")
	}
	if !utf8.ValidString(name) {
		return fmt.Errorf("job name %q is not valid UTF-8", name)
	}
	if n := utf8.RuneCountInString(name); n > MaxNameRunes {
		return fmt.Errorf("job name %q… has %d characters, at most %d are allowed", words.Clip(name), n, MaxNameRunes)
	}
	for _, r := range name {
		if !unicode.IsLetter(r) && !unicode.IsNumber(r) && r != '-' && r != '_' {
			return fmt.Errorf("job name %q contains %q: only letters, digits, - and _ are allowed", name, r)
		}
	}
	return nil
}

// CheckNewName is CheckName for a new job. Its name must also have a visible character,
// and must not look like a flag. Existing jobs may have such names, and keep working.
func CheckNewName(name string) error {
	if err := CheckName(name); err != nil {
		return err
	}
	if name[0] == '-' {
		return fmt.Errorf("job name %q begins with -, as flags do", name)
	}
	if blank(name) {
		return fmt.Errorf("job name %+q shows as nothing", name)
	}
	return nil
}

// CheckID returns an error that says what is wrong with a task id, or nil.
// A task id is 1 to 255 bytes of printable text. Joiners count as printable after
// a character beyond ASCII: scripts and emoji need them there.
func CheckID(id string) error {
	if id == "" {
		return fmt.Errorf("task id is empty")
	}
	if !utf8.ValidString(id) {
		return fmt.Errorf("task id %q is not valid UTF-8", id)
	}
	if len(id) > MaxIDBytes {
		return fmt.Errorf("task id %q… has %d bytes, at most %d are allowed", words.Clip(id), len(id), MaxIDBytes)
	}
	before := rune(0)
	for _, r := range id {
		if !unicode.IsPrint(r) && !(joins(r) && before >= utf8.RuneSelf && !joins(before)) {
			return fmt.Errorf("task id %q contains the unprintable character %U", id, r)
		}
		before = r
	}
	return nil
}

// CheckNewID is CheckID for a new task. Its id must also have a visible character.
func CheckNewID(id string) error {
	err := CheckID(id)
	if err == nil && blank(id) {
		err = fmt.Errorf("task id %+q shows as nothing", id)
	}
	return err
}

// joins reports whether r is the zero width joiner or non-joiner.
func joins(r rune) bool { return r == 0x200c || r == 0x200d }

// blank reports whether a name is invisible: it has only blanks, and letters and marks
// that are not displayed.
func blank(name string) bool {
	const emptyBraille = 0x2800
	for _, r := range name {
		if r != ' ' && r != emptyBraille && !joins(r) &&
			!unicode.In(r, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector) {
			return false
		}
	}
	return true
}

// CheckText returns an error if s cannot be stored or passed to a program: invalid
// UTF-8 or a NUL byte. The error calls it what.
func CheckText(what, s string) error {
	if i := strings.IndexByte(s, 0); i >= 0 {
		return fmt.Errorf("%s contains a NUL byte at position %d", what, i)
	}
	if !utf8.ValidString(s) {
		return fmt.Errorf("%s is not valid UTF-8", what)
	}
	return nil
}

// Check returns an error that names the part of the task that is invalid, or nil. The
// id may be empty; it is chosen later.
func (s *Spec) Check() error {
	if s.ID != "" {
		if err := CheckNewID(s.ID); err != nil {
			return err
		}
	}
	if s.Command == "" {
		return fmt.Errorf("command is empty")
	}
	if err := CheckText("command", s.Command); err != nil {
		return err
	}
	for i, a := range s.Args {
		if strings.IndexByte(a, 0) >= 0 || !utf8.ValidString(a) {
			return CheckText(fmt.Sprintf("argument %d", i+1), a)
		}
	}
	if err := CheckText("working directory", s.Dir); err != nil {
		return err
	}
	if _, err := NormalPools(s.Pools); err != nil {
		return fmt.Errorf("pools: %w", err)
	}
	if s.RunIf == RunOnFailure && len(s.Dependencies)+len(s.AfterAny) == 0 {
		return fmt.Errorf("run_if is failure, and it depends on no task that could fail")
	}
	for _, d := range slices.Concat(s.Dependencies, s.AfterAny) {
		if err := CheckID(d); err != nil {
			return fmt.Errorf("dependency: %w", err)
		}
		if d == s.ID {
			return fmt.Errorf("task %q depends on itself", d)
		}
	}
	return nil
}
