package strictyaml

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"go.yaml.in/yaml/v4"

	"github.com/air-executor/air-executor/internal/words"
)

// Value is a value in a file. Its methods return errors of type *Error that say what
// was expected and what was found.
type Value struct {
	file string
	path path
	node *yaml.Node
}

// path is the keys and indexes from the root to a value.
type path []Step

// Step leads from a mapping to the value of a key, or from a list to an element.
type Step struct {
	Key   string
	Index int // of an element; -1: the step is Key
}

// String returns the path for a message, such as tasks[0].command.
func (p path) String() string {
	var b strings.Builder
	for i, s := range p {
		switch {
		case s.Index >= 0:
			b.WriteString("[" + strconv.Itoa(s.Index) + "]")
		case i > 0:
			b.WriteString("." + shownKey(s.Key))
		default:
			b.WriteString(shownKey(s.Key))
		}
	}
	return b.String()
}

// to returns the path of a child of a value.
func (p path) to(s Step) path { return append(p[:len(p):len(p)], s) }

// Kind is the type of a value.
type Kind uint8

// The types of values.
const (
	Null Kind = iota
	Boolean
	Number
	Text
	List
	Mapping
)

// Kind returns the type of the value. Dates are texts: only YAML 1.1 treats them
// differently.
func (v Value) Kind() Kind {
	switch {
	case v.node.Kind == yaml.MappingNode:
		return Mapping
	case v.node.Kind == yaml.SequenceNode:
		return List
	case v.isText():
		return Text
	case v.IsNumber():
		return Number
	case v.node.ShortTag() == "!!bool":
		return Boolean
	}
	return Null
}

// Raw returns a text without quotes, and other scalars as written.
func (v Value) Raw() string { return v.node.Value }

// Given returns a text value that does not come from a file, such as the value of a
// flag. Errors call it key.
func Given(key, text string) Value {
	return Value{path: path{{Key: key, Index: -1}}, node: &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: text}}
}

// Line returns the line on which the value begins.
func (v Value) Line() int { return v.node.Line }

// Path returns the keys and indexes from the root to the value.
func (v Value) Path() []Step { return v.path }

// Find returns the first value in a document whose text, or whose key, is the one
// looked for.
func (v Value) Find(is func(text string) bool) (found Value, ok bool) {
	switch v.Kind() {
	case Mapping:
		for i := 0; i+1 < len(v.node.Content) && !ok; i += 2 {
			if found, ok = v.field(i), is(v.node.Content[i].Value); !ok {
				found, ok = found.Find(is)
			}
		}
	case List:
		for i := 0; i < len(v.node.Content) && !ok; i++ {
			found, ok = v.item(i).Find(is)
		}
	default:
		return v, is(v.node.Value)
	}
	return found, ok
}

// Errorf returns an *Error at the place of the value. It wraps the operand of %w.
func (v Value) Errorf(format string, args ...any) error {
	err := fmt.Errorf(format, args...)
	return &Error{File: v.file, Line: v.Line(), Key: v.path.String(), Path: v.path, Msg: err.Error(), Err: errors.Unwrap(err)}
}

// Text returns a string. A value that YAML does not treat as a string, such as an
// unquoted 5 or true, is an error.
func (v Value) Text() (string, error) {
	if !v.isText() {
		return "", v.wanted("text")
	}
	return v.node.Value, nil
}

// Literal returns a string, or a number or boolean as written. Empty values and null
// are errors.
func (v Value) Literal() (string, error) {
	if v.node.Kind != yaml.ScalarNode || v.node.ShortTag() == "!!null" {
		return "", v.wanted("text")
	}
	return v.node.Value, nil
}

// FilePath returns a text that is a valid path of a file or folder. A leading ~, which
// only shells expand, is an error.
func (v Value) FilePath() (string, error) {
	path, err := v.Text()
	switch {
	case err != nil:
		return "", err
	case path == "":
		return "", v.Errorf("must not be empty")
	case strings.IndexByte(path, 0) >= 0:
		return "", v.Errorf("must not contain a NUL byte")
	case path == "~" || strings.HasPrefix(path, "~/"):
		return "", v.Errorf("~ does not stand for the home folder here; write %s in full", words.Quote(path))
	}
	return path, nil
}

// IsNumber reports whether the value is a number, whole or not.
func (v Value) IsNumber() bool {
	tag := v.node.ShortTag()
	return v.node.Kind == yaml.ScalarNode && (tag == "!!int" || tag == "!!float")
}

// Bool returns true or false, as spelled in YAML 1.2.
func (v Value) Bool() (bool, error) {
	if v.node.Kind != yaml.ScalarNode || v.node.ShortTag() != "!!bool" {
		return false, v.wanted("true or false")
	}
	return strings.EqualFold(v.node.Value, "true"), nil
}

// IsWholeText reports whether the value is a whole number in quotes: digits only.
func (v Value) IsWholeText() bool {
	digits := strings.TrimPrefix(v.node.Value, "-")
	return v.isText() && digits != "" && strings.Trim(digits, "0123456789") == ""
}

// wholeFraction returns the digits before the decimal point of a number such as 5.0.
func (v Value) wholeFraction() (string, bool) {
	whole, fraction, ok := strings.Cut(v.node.Value, ".")
	digits := strings.TrimPrefix(whole, "-")
	return whole, ok && v.IsNumber() && fraction != "" && strings.Trim(fraction, "0") == "" &&
		digits != "" && strings.Trim(digits, "0123456789") == ""
}

// Int returns a whole number from low to high. A quoted "5" and 5.0 are accepted as 5;
// 010 is refused, because YAML parsers disagree about it.
func (v Value) Int(low, high int) (int, error) {
	text := strings.ReplaceAll(v.node.Value, "_", "")
	if whole, ok := v.wholeFraction(); ok {
		text = whole
	}
	isNumber := v.IsNumber() || v.IsWholeText()
	n, err := strconv.ParseInt(text, 0, strconv.IntSize)
	tooLarge := errors.Is(err, strconv.ErrRange)
	switch {
	case isNumber && hasLeadingZero(text):
		return 0, v.Errorf("must be a whole number without leading zeros, not %s", words.Clip(v.node.Value))
	case !isNumber || err != nil && !tooLarge:
		return 0, v.wanted("a whole number")
	case tooLarge || n < int64(low) || n > int64(high):
		return 0, v.Errorf("must be between %d and %d, not %s", low, high, words.Clip(v.node.Value))
	}
	return int(n), nil
}

// hasLeadingZero reports whether text is decimal digits with a leading 0.
func hasLeadingZero(text string) bool {
	digits := strings.TrimLeft(text, "+-")
	return len(digits) > 1 && digits[0] == '0' && strings.Trim(digits, "0123456789") == ""
}

// List returns the values of a sequence.
func (v Value) List() ([]Value, error) {
	if v.node.Kind != yaml.SequenceNode {
		return nil, v.wanted("a list")
	}
	items := make([]Value, len(v.node.Content))
	for i := range items {
		items[i] = v.item(i)
	}
	return items, nil
}

// Literals returns the values of a sequence of Literals.
func (v Value) Literals() ([]string, error) {
	items, err := v.List()
	if err != nil {
		return nil, err
	}
	texts := make([]string, len(items))
	for i, item := range items {
		if texts[i], err = item.Literal(); err != nil {
			return nil, err
		}
	}
	return texts, nil
}

// Map returns a mapping.
func (v Value) Map() (*Map, error) {
	if v.node.Kind != yaml.MappingNode {
		return nil, v.wanted("a mapping (key: value)")
	}
	m := &Map{Value: v, Entries: make([]Entry, 0, len(v.node.Content)/2)}
	for i := 0; i+1 < len(v.node.Content); i += 2 {
		key := v.node.Content[i]
		m.Entries = append(m.Entries, Entry{Key: key.Value, Line: key.Line, Value: v.field(i)})
	}
	return m, nil
}

// Map is a mapping in the order of the file.
type Map struct {
	Value
	Entries []Entry
}

// Entry is a key of a mapping and its value.
type Entry struct {
	Key   string
	Line  int // of the key
	Value Value
}

// Get returns the value of a key.
func (m *Map) Get(key string) (v Value, ok bool) {
	for _, e := range m.Entries {
		if e.Key == key {
			return e.Value, true
		}
	}
	return Value{}, false
}

// Missing returns the error for a required key.
func (m *Map) Missing(key string) error {
	at := m.path.to(Step{Key: key, Index: -1})
	return &Error{File: m.file, Line: m.Line(), Key: at.String(), Path: at, Msg: "is missing"}
}

// CheckKeys returns an error for the first unknown key. It suggests the known key that
// was probably meant, or else lists all of them.
func (m *Map) CheckKeys(known []string) error {
	for _, e := range m.Entries {
		if slices.Contains(known, e.Key) {
			continue
		}
		msg := "unknown key; the known keys are " + strings.Join(known, ", ")
		if near := words.Nearest(e.Key, known); near != "" {
			msg = "unknown key; did you mean " + near + "?"
		}
		return &Error{File: m.file, Line: e.Line, Key: e.Value.path.String(), Path: e.Value.path, Msg: msg}
	}
	return nil
}

// item returns element i of a sequence.
func (v Value) item(i int) Value {
	return Value{file: v.file, path: v.path.to(Step{Index: i}), node: v.node.Content[i]}
}

// field returns the value whose key is child i of a mapping.
func (v Value) field(i int) Value {
	at := v.path.to(Step{Key: v.node.Content[i].Value, Index: -1})
	return Value{file: v.file, path: at, node: v.node.Content[i+1]}
}

// shownKey returns a key as shown in messages: in quotes unless it is a plain word.
func shownKey(key string) string {
	odd := func(r rune) bool { return r == ' ' || !unicode.IsPrint(r) }
	if key == "" || len(key) > len(words.Clip(key)) || strings.ContainsFunc(key, odd) {
		return words.Quote(key)
	}
	return key
}

// isText reports whether the value is a string. Dates count as strings: only YAML 1.1
// treats them differently.
func (v Value) isText() bool {
	tag := v.node.ShortTag()
	return v.node.Kind == yaml.ScalarNode && (tag == "!!str" || tag == "!!timestamp")
}

// wanted returns the error that says what was expected and what was found.
func (v Value) wanted(what string) error {
	return v.Errorf("must be %s, not %s", what, v.given())
}

// given describes the value for a message.
func (v Value) given() string {
	switch {
	case v.node.Kind == yaml.MappingNode:
		return "a mapping"
	case v.node.Kind == yaml.SequenceNode:
		return "a list"
	case v.isText():
		return "the text " + words.Quote(v.node.Value)
	case v.node.Value == "":
		return "empty"
	case v.IsNumber():
		return "the number " + words.Clip(v.node.Value)
	}
	return words.Clip(v.node.Value)
}
