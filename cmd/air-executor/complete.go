package main

import (
	"strings"

	"github.com/alecthomas/kong"

	"github.com/air-executor/air-executor/taskfile"
)

// completion is what a shell may offer for the last word of a command line.
type completion struct {
	kind  completionKind
	words []string // whole words that begin with what was typed
}

// completionKind says what the shell should offer.
type completionKind string

// The kinds of completion. The first line that a shell reads is one of them.
const (
	completeWords    completionKind = "words"    // the words given
	completeFiles    completionKind = "files"    // file names, as if there were no completion
	completeCommands completionKind = "commands" // names of programs
)

// stored looks up names in the database: the jobs that begin with prefix, or the
// tasks of a job that do, or the pools. It returns nothing if there are none, or no database.
type stored interface {
	in(basePath string) // says in which base path to look
	jobs(prefix string) []string
	tasks(job, prefix string) []string
	schedules(prefix string) []string
	pools(prefix string) []string
}

// completer walks through a command line as the parser would.
type completer struct {
	stored     stored
	root, node *kong.Node
	positional int         // arguments so far
	value      *kong.Value // the flag whose value comes next
	job        string      // name of the job, once it is known
	command    int         // words after --, from 1; 0: there was no -- yet
}

// complete says what may come at the end of a command line. Its words are those
// after the program's name; the last one is the one to complete, and may be empty.
func complete(model *kong.Application, words []string, s stored) completion {
	c := &completer{stored: s, root: model.Node, node: model.Node}
	last := len(words) - 1
	for _, w := range words[:last] {
		c.take(w)
	}
	return c.offer(words[last])
}

// take processes a complete word.
func (c *completer) take(word string) {
	switch {
	case c.command > 0:
		c.command++
	case c.value != nil:
		c.note(c.value, word)
		c.value = nil
	case word == "--":
		c.command = 1
	case strings.HasPrefix(word, "--"):
		name, value, has := strings.Cut(word, "=")
		c.flag(c.long(name[2:]), value, has)
	case strings.HasPrefix(word, "-") && len(word) > 1:
		c.shorts(word[1:])
	case c.child(word) != nil:
		c.node = c.child(word)
	default:
		if v := c.argument(); v != nil {
			c.note(v, word)
		}
		c.positional++
	}
}

func (c *completer) flag(f *kong.Flag, value string, has bool) {
	switch {
	case f == nil || f.IsBool():
	case has:
		c.note(f.Value, value)
	default:
		c.value = f.Value
	}
}

// shorts skips short flags in one word, such as -qj or -jNAME.
func (c *completer) shorts(letters string) {
	for i, r := range letters {
		if f := c.short(r); f != nil && !f.IsBool() {
			rest := letters[i+len(string(r)):]
			c.flag(f, rest, rest != "")
			return
		}
	}
}

// note remembers a value that decides which names to complete: the base path, or
// the job.
func (c *completer) note(v *kong.Value, value string) {
	switch {
	case v.Name == "base-path" && c.stored != nil:
		c.stored.in(value)
	case v.Tag.Get("predictor") == "job":
		c.job = value
	}
}

func (c *completer) long(name string) *kong.Flag {
	return c.find(func(f *kong.Flag) bool { return f.Name == name })
}

func (c *completer) short(letter rune) *kong.Flag {
	return c.find(func(f *kong.Flag) bool { return f.Short == letter })
}

func (c *completer) find(is func(*kong.Flag) bool) *kong.Flag {
	for _, group := range c.node.AllFlags(false) {
		for _, f := range group {
			if is(f) {
				return f
			}
		}
	}
	return nil
}

func (c *completer) child(name string) *kong.Node {
	for _, n := range c.node.Children {
		if n.Name == name {
			return n
		}
	}
	return nil
}

// argument is the positional argument that comes next, or nil. The last one may
// be a list.
func (c *completer) argument() *kong.Value {
	args := c.node.Positional
	if len(args) == 0 {
		return nil
	}
	if c.positional < len(args) {
		return args[c.positional]
	}
	if end := args[len(args)-1]; end.IsSlice() {
		return end
	}
	return nil
}

// offer completes the last word.
func (c *completer) offer(word string) completion {
	flag, value, has := strings.Cut(word, "=")
	switch {
	case c.command == 1:
		return completion{kind: completeCommands}
	case c.command > 1:
		return completion{kind: completeFiles}
	case c.value != nil:
		return c.values(c.value, word, "")
	case strings.HasPrefix(word, "--") && has:
		if f := c.long(flag[2:]); f != nil {
			return c.values(f.Value, value, flag+"=")
		}
	case strings.HasPrefix(word, "-"):
		return c.flags(word)
	case len(c.node.Children) > 0:
		return c.commandsOf(c.node, word)
	default:
		if v := c.argument(); v != nil {
			return c.values(v, word, "")
		}
	}
	return completion{kind: completeFiles}
}

// values completes the value of a flag or an argument.
func (c *completer) values(v *kong.Value, prefix, before string) completion {
	var found []string
	switch v.Tag.Get("predictor") {
	case "job":
		found = c.stored.jobs(prefix)
	case "task":
		found = c.stored.tasks(c.job, prefix)
	case "schedule":
		found = c.stored.schedules(prefix)
	case "pool":
		found = c.stored.pools(prefix)
	case "key":
		found = beginning(taskfile.EditKeys(), prefix)
	case "setting":
		for _, key := range beginning(taskfile.EditKeys(), prefix) {
			found = append(found, key+"=")
		}
	case "help":
		return c.commandsOf(c.root, prefix)
	case "command":
		return completion{kind: completeCommands}
	default:
		if v.Tag.Get("words") == "" {
			return completion{kind: completeFiles}
		}
		found = beginning(strings.Split(v.Tag.Get("words"), ","), prefix)
	}
	out := completion{kind: completeWords}
	for _, f := range found {
		out.words = append(out.words, before+f)
	}
	return out
}

func (c *completer) flags(prefix string) completion {
	out := completion{kind: completeWords}
	for _, group := range c.node.AllFlags(true) {
		for _, f := range group {
			out.words = append(out.words, "--"+f.Name)
		}
	}
	out.words = beginning(out.words, prefix)
	return out
}

func (c *completer) commandsOf(node *kong.Node, prefix string) completion {
	out := completion{kind: completeWords}
	for _, n := range node.Children {
		if !n.Hidden {
			out.words = append(out.words, n.Name)
		}
	}
	out.words = beginning(out.words, prefix)
	return out
}

// beginning keeps the words that begin with prefix.
func beginning(words []string, prefix string) (out []string) {
	for _, w := range words {
		if strings.HasPrefix(w, prefix) {
			out = append(out, w)
		}
	}
	return out
}

// splitLine splits a command line as a shell does: at blanks that are not quoted. The
// last word may be unfinished, and is empty after a blank.
func splitLine(line string) []string {
	var words []string
	var word strings.Builder
	quote, in := rune(0), false
	escaped := false
	for _, r := range line {
		switch {
		case escaped:
			if quote == '"' && !strings.ContainsRune("\"\\$`", r) {
				word.WriteByte('\\') // in these quotes it escapes nothing else
			}
			word.WriteRune(r)
			escaped = false
		case r == '\\' && quote != '\'':
			escaped, in = true, true
		case r == quote:
			quote = 0
		case quote == 0 && (r == '\'' || r == '"'):
			quote, in = r, true
		case quote == 0 && (r == ' ' || r == '\t' || r == '\n'):
			if in {
				words = append(words, word.String())
				word.Reset()
				in = false
			}
		default:
			word.WriteRune(r)
			in = true
		}
	}
	return append(words, word.String())
}
