package taskfile

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/air-executor/air-executor/internal/strictyaml"
	"github.com/air-executor/air-executor/internal/words"
	"github.com/air-executor/air-executor/job"
)

// ParseEnvFile reads variables as "KEY=VALUE" pairs. A line is KEY=VALUE, with or
// without export before it, blank, or a comment. What is in single quotes stays as it
// is; in double quotes \n, \t, \", \\ and \$ are known; without quotes the value ends
// before a blank and a #. Nothing is put in for $NAME. Errors are of type *Error, and
// call the file name.
func ParseEnvFile(name string, data []byte) (env []string, err error) {
	nth := 0
	for line := range strings.Lines(strings.TrimPrefix(string(data), "\ufeff")) {
		nth++
		pair, err := envLine(strings.TrimSpace(line))
		if err != nil {
			return nil, &Error{File: name, Line: nth, Index: -1, Msg: err.Error(), Err: err}
		}
		if pair != "" {
			env = append(env, pair)
		}
	}
	return env, nil
}

// envLine reads a line. One without a variable is empty.
func envLine(line string) (pair string, err error) {
	if line == "" || line[0] == '#' {
		return "", nil
	}
	key, rest, ok := strings.Cut(line, "=")
	if name, exported := strings.CutPrefix(key, "export "); exported {
		key = strings.TrimLeft(name, " \t")
	}
	if !ok || key == "" || strings.ContainsAny(key, " \t\"'") {
		return "", fmt.Errorf("want KEY=VALUE, got %s", words.Quote(line))
	}
	value, err := envValue(rest)
	if err == nil {
		err = job.CheckText("the line", key+value)
	}
	return key + "=" + value, err
}

func envValue(rest string) (string, error) {
	if rest == "" || rest[0] != '"' && rest[0] != '\'' {
		if i := strings.Index(rest, " #"); i >= 0 {
			rest = rest[:i]
		}
		return strings.TrimSpace(rest), nil
	}
	quote := rest[0]
	var b strings.Builder
	for i := 1; i < len(rest); i++ {
		switch c := rest[i]; {
		case c == quote:
			if after := strings.TrimSpace(rest[i+1:]); after != "" && after[0] != '#' {
				return "", fmt.Errorf("something follows the value: %s", words.Quote(after))
			}
			return b.String(), nil
		case c == '\\' && quote == '"' && i+1 < len(rest):
			i++
			switch rest[i] {
			case 'n':
				b.WriteByte('\n')
			case 't':
				b.WriteByte('\t')
			case '"', '\\', '$', '`':
				b.WriteByte(rest[i])
			default:
				return "", fmt.Errorf(`\%c is not known in double quotes, want \n, \t, \", \\ or \$`, rest[i])
			}
		default:
			b.WriteByte(c)
		}
	}
	return "", fmt.Errorf("the quote %c is not closed on the line", quote)
}

// envFiles reads the files that a job file names.
func envFiles(paths []string, folder string) (env []string, err error) {
	for _, path := range paths {
		if !filepath.IsAbs(path) {
			path = filepath.Join(folder, path)
		}
		data, err := strictyaml.ReadFile(path)
		if y := (*strictyaml.Error)(nil); errors.As(err, &y) {
			err = fmt.Errorf("%s: %s", words.Quote(path), y.Msg)
		}
		if err == nil && len(data) > strictyaml.MaxSize {
			err = fmt.Errorf("%s: is larger than %d MiB", words.Quote(path), strictyaml.MaxSize>>20)
		}
		if err != nil {
			return nil, &mistake{key: "env_file", err: err}
		}
		more, err := ParseEnvFile(path, data)
		if err != nil {
			return nil, err
		}
		env = append(env, more...)
	}
	return env, nil
}

// someFiles is the path of a file, or a list of them.
type someFiles struct{}

func (someFiles) read(to *jobHead, v value, in form) error {
	l := lists[jobHead]{func(f *jobHead) *[]string { return &f.envFiles }, "file", command, in}
	if v.kind() == array {
		return l.read(to, v, in)
	}
	s, err := command.of(v)
	to.envFiles = []string{s}
	if v.kind() != text {
		return not(v, "the path of a file, or an array of them")
	}
	return err
}

func (someFiles) write(*objectWriter, string, *jobHead, bool) {}

func (someFiles) schema(in form) *Schema {
	one := &Schema{Type: "string", Pattern: command.pattern, MinLength: 1}
	return &Schema{AnyOf: []*Schema{one, {Type: "array", Items: command.schema(in), UniqueItems: true}}}
}
