package taskfile

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/air-executor/air-executor/internal/strictyaml"
	"github.com/air-executor/air-executor/internal/words"
)

// value is a value in a file or of a flag.
type value interface {
	kind() kind
	line() int
	// raw returns a string without quotes, and other scalars as written.
	raw() string
	// text returns a string. In YAML and in flags, numbers and booleans are strings, as
	// written.
	text() (s string, ok bool)
	// whole returns a whole number, if it is from low to high.
	whole(low, high int) (n int, ok bool)
	// items calls yield with the elements of a list, until yield returns an error.
	items(yield func(value) error) error
	// fields calls yield with the members of an object, until yield returns an error.
	fields(yield func(key string, v value) error) error
}

// kind is the type of a value, by its name in JSON.
type kind string

const (
	null    kind = "null"
	boolean kind = "a boolean"
	number  kind = "a number"
	text    kind = "a string"
	array   kind = "an array"
	object  kind = "an object"
)

// got describes a value for an error about it. A string is quoted if a string could
// have been right.
func got(v value, show bool) string {
	switch k := v.kind(); {
	case k == number || k == boolean && show:
		if !show {
			return string(k)
		}
		return words.Clip(v.raw())
	case k == text && show:
		return words.Quote(v.raw())
	default:
		return string(k)
	}
}

// not returns the error for a value of the wrong type.
func not(v value, want string) error { return fmt.Errorf("want %s, got %s", want, got(v, false)) }

// notThis returns the error for a value that is not allowed.
func notThis(v value, want string) error { return fmt.Errorf("want %s, got %s", want, got(v, true)) }

// jsonValue is a valid value in a JSON file.
type jsonValue struct {
	bytes jsontext.Value
	at    int64 // offset in the file
	in    *stream
}

func (v *jsonValue) kind() kind { return jsonKind(v.bytes.Kind()) }

func jsonKind(k jsontext.Kind) kind {
	switch k {
	case 'n':
		return null
	case 't', 'f':
		return boolean
	case '"':
		return text
	case '[':
		return array
	case '{':
		return object
	}
	return number
}

func (v *jsonValue) line() int {
	line, _ := v.in.lines.at(v.at)
	return line
}

func (v *jsonValue) raw() string {
	if v.bytes.Kind() != '"' {
		return string(v.bytes)
	}
	return v.in.unquote(v.bytes)
}

func (v *jsonValue) text() (string, bool) {
	if v.bytes.Kind() != '"' {
		return "", false
	}
	return v.in.unquote(v.bytes), true
}

func (v *jsonValue) whole(low, high int) (int, bool) {
	if v.bytes.Kind() != '0' {
		return 0, false
	}
	return parseWhole(string(v.bytes), low, high)
}

// parseWhole reads a number as it is written in JSON. 5.0 and 5e0 can only mean 5.
func parseWhole(s string, low, high int) (int, bool) {
	n, err := strconv.Atoi(s)
	if err != nil {
		const exact = 1 << 53
		f, err := strconv.ParseFloat(s, 64)
		if err != nil || f != math.Trunc(f) || math.Abs(f) > exact {
			return 0, false
		}
		n = int(f)
	}
	return n, low <= n && n <= high
}

func (v *jsonValue) items(yield func(value) error) error {
	item := &v.in.item
	for dec := v.in.inside(v.bytes); dec.PeekKind() != ']'; {
		b, err := dec.ReadValue()
		if err != nil {
			return err // cannot fail: it is valid
		}
		*item = jsonValue{bytes: b, at: v.at + dec.InputOffset() - int64(len(b)), in: v.in}
		if err := yield(item); err != nil {
			return err
		}
	}
	return nil
}

func (v *jsonValue) fields(yield func(string, value) error) error {
	var o members
	if err := o.read(v.in, v.bytes, v.at); err != nil {
		return err
	}
	for i := range o.list {
		if err := yield(string(o.list[i].key), o.value(i)); err != nil {
			return err
		}
	}
	return nil
}

// yamlValue is a value of a job file.
type yamlValue struct{ strictyaml.Value }

func (v yamlValue) kind() kind {
	switch v.Kind() {
	case strictyaml.Boolean:
		return boolean
	case strictyaml.Number:
		return number
	case strictyaml.Text:
		return text
	case strictyaml.List:
		return array
	case strictyaml.Mapping:
		return object
	}
	return null
}

func (v yamlValue) line() int   { return v.Line() }
func (v yamlValue) raw() string { return v.Raw() }

func (v yamlValue) text() (string, bool) {
	s, err := v.Literal()
	return s, err == nil
}

func (v yamlValue) whole(low, high int) (int, bool) {
	n, err := v.Int(low, high)
	if err != nil && v.IsNumber() && strings.ContainsAny(v.Raw(), "eE") {
		return parseWhole(v.Raw(), low, high)
	}
	return n, err == nil
}

func (v yamlValue) items(yield func(value) error) error {
	list, err := v.List()
	for i := 0; err == nil && i < len(list); i++ {
		err = yield(yamlValue{list[i]})
	}
	return err
}

func (v yamlValue) fields(yield func(string, value) error) error {
	m, err := v.Map()
	if err != nil {
		return err
	}
	for _, e := range m.Entries {
		if err := yield(e.Key, yamlValue{e.Value}); err != nil {
			return err
		}
	}
	return nil
}

// flagValue is the value of a flag.
type flagValue string

func (flagValue) kind() kind                             { return text }
func (flagValue) line() int                              { return 0 }
func (v flagValue) raw() string                          { return string(v) }
func (v flagValue) text() (string, bool)                 { return string(v), true }
func (flagValue) items(func(value) error) error          { return nil }
func (flagValue) fields(func(string, value) error) error { return nil }

func (v flagValue) whole(low, high int) (int, bool) {
	n, err := strconv.Atoi(string(v))
	return n, err == nil && low <= n && n <= high
}
