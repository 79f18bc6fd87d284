package taskfile

import (
	"bytes"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/air-executor/air-executor/internal/strictyaml"
	"github.com/air-executor/air-executor/internal/words"
	"github.com/air-executor/air-executor/job"
)

// MostItems is how many items a foreach may have.
const MostItems = 100_000

// foreach is what a task is to be made for: one of these.
type foreach struct {
	list    bool
	items   []string // of a list
	glob    string   // the files of a pattern, sorted
	lines   string   // the lines of a file, blank ones left out
	command []string // those of what a command prints
	line    int
}

// eachKeys are those of a foreach that is no list.
var eachKeys = table[foreach]{
	{name: "glob", in: inJobFile,
		is:   texts[foreach]{func(f *foreach) *string { return &f.glob }, command, false},
		help: "A task for each file of this pattern, such as *.png, in the order of their names."},
	{name: "lines", in: inJobFile,
		is:   texts[foreach]{func(f *foreach) *string { return &f.lines }, command, false},
		help: "A task for each line of this file that is not blank."},
	{name: "command", in: inJobFile,
		is:   shellOrArgs{},
		help: "A task for each line that this prints: a line for the shell, or a list of a program and its arguments. It runs when the file is read."},
}

// shellOrArgs is a command.
type shellOrArgs struct{}

func (shellOrArgs) read(to *foreach, v value, in form) error {
	if v.kind() == array {
		l := lists[foreach]{func(f *foreach) *[]string { return &f.command }, "argument", anyText, 0}
		err := l.read(to, v, in)
		if err == nil && len(to.command) == 0 {
			err = errors.New("want at least a program")
		}
		return err
	}
	s, err := command.of(v)
	to.command = []string{"/bin/sh", "-c", s}
	return err
}

func (shellOrArgs) write(*objectWriter, string, *foreach, bool) {}

func (shellOrArgs) schema(in form) *Schema {
	return &Schema{AnyOf: []*Schema{command.schema(in), {Type: "array", Items: anyText.schema(in), MinItems: 1}}}
}

// foreaches is the key of a task. What it says is used before the task is read.
type foreaches struct{}

func (foreaches) read(_ *job.Task, v value, _ form) error {
	_, err := foreachOf(v)
	return err
}

func (foreaches) write(*objectWriter, string, *job.Task, bool) {}

func (foreaches) schema(in form) *Schema {
	one := objectSchema(eachKeys, in)
	one.MinProperties, one.MaxProperties = 1, 1
	return &Schema{AnyOf: []*Schema{{Type: "array", Items: anyText.schema(in)}, one}}
}

func foreachOf(v value) (*foreach, error) {
	f := &foreach{line: v.line()}
	switch v.kind() {
	case array:
		f.list = true
		l := lists[foreach]{func(f *foreach) *[]string { return &f.items }, "item", anyText, 0}
		return f, l.read(f, v, inJobFile)
	case object:
		lines, err := readObject(eachKeys, v, f, nil)
		if m := (*mistake)(nil); errors.As(err, &m) {
			return f, &mistake{on: m.on, err: fmt.Errorf("%s: %w", words.Quote(m.key), m.err)}
		}
		if err == nil && len(lines) != 1 {
			err = errors.New("want one of glob, lines or command")
		}
		return f, err
	}
	return f, not(v, "an array of items, or an object with glob, lines or command")
}

// find returns the items. They are looked for where the task runs.
func (f *foreach) find(r *jobReader, dir string) ([]string, error) {
	switch {
	case f.list:
		return f.items, nil
	case len(r.unset) > 0:
		return []string{itemIs}, nil // they may depend on what was not given
	case f.glob != "":
		return globbed(dir, f.glob)
	case f.lines != "":
		path := f.lines
		if !filepath.IsAbs(path) {
			path = filepath.Join(dir, path)
		}
		data, err := strictyaml.ReadFile(path)
		if err != nil {
			return nil, errors.New(strings.TrimPrefix(err.Error(), path+": ") + ": " + words.Quote(f.lines))
		}
		if len(data) > strictyaml.MaxSize {
			return nil, fmt.Errorf("%s is larger than %d MiB", words.Quote(f.lines), strictyaml.MaxSize>>20)
		}
		return linesOf(data)
	case r.options.Check:
		return []string{itemIs}, nil
	case r.options.Output == nil:
		return nil, errors.New("no command can be run here")
	}
	out, err := r.options.Output(dir, f.command)
	if err != nil {
		return nil, err
	}
	return linesOf(out)
}

// globbed returns the files of a pattern, as the pattern names them.
func globbed(dir, pattern string) ([]string, error) {
	full := pattern
	if !filepath.IsAbs(pattern) {
		full = filepath.Join(literal(dir), pattern)
	}
	found, err := filepath.Glob(full)
	if err != nil {
		return nil, fmt.Errorf("%s is not a pattern: %w", words.Quote(pattern), err)
	}
	for i, path := range found {
		if err := job.CheckText("the name of a file", path); err != nil {
			return nil, fmt.Errorf("%w: %s", err, words.Quote(path))
		}
		if filepath.IsAbs(pattern) {
			continue
		}
		if found[i], err = filepath.Rel(dir, path); err != nil {
			return nil, err
		}
	}
	slices.Sort(found)
	return found, nil
}

// literal is a path as a pattern that matches it alone.
func literal(path string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(path)
}

// linesOf returns the lines that are not blank.
func linesOf(data []byte) (items []string, err error) {
	nth := 0
	for line := range bytes.Lines(data) {
		nth++
		item := string(bytes.TrimRight(line, "\r\n"))
		if strings.TrimSpace(item) == "" {
			continue
		}
		if err := job.CheckText(fmt.Sprintf("line %d", nth), item); err != nil {
			return nil, err
		}
		items = append(items, item)
	}
	return items, nil
}

// each returns a task for each item of a task with foreach, before they are read. If
// its id does not name the item, each gets an id that is the id, and the item.
func (r *jobReader) each(f *foreach, dir string) ([]eachTask, error) {
	items, err := f.find(r, dir)
	if err == nil && len(items) > MostItems {
		err = fmt.Errorf("has %d items, at most %d are allowed", len(items), MostItems)
	}
	if err != nil {
		return nil, &mistake{key: "foreach", on: f.line, err: err}
	}
	id, err := r.scope.fill(r.id)
	named := err != nil // or it is wrong for each of them
	taken := map[string]bool{}
	out := make([]eachTask, len(items))
	for i, item := range items {
		out[i].scope = r.scope.with(item, i+1)
		out[i].nth = i + 1
		if !named {
			out[i].id = itemID(id, item, i+1, taken)
		}
	}
	return out, nil
}

// eachTask is what one task of a foreach differs in.
type eachTask struct {
	scope scope
	nth   int
	id    string // empty: the task's own text says it
}

// itemID is an id for a task of a foreach: its id and the item, and the item's number
// where that is not unique.
func itemID(id, item string, nth int, taken map[string]bool) string {
	shown := strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return '_'
		}
		return r
	}, item)
	suffix := ""
	for {
		room := max(job.MaxIDBytes-len(id)-1-len(suffix), 0)
		short := shown
		for len(short) > room {
			_, size := utf8.DecodeLastRuneInString(short)
			short = short[:len(short)-size]
		}
		full := id + "-" + short + suffix
		if !taken[full] && (suffix != "" || short == shown) {
			taken[full] = true
			return full
		}
		suffix += "-" + strconv.Itoa(nth)
	}
}
