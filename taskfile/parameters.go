package taskfile

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/air-executor/air-executor/internal/words"
)

// Parameter is what a job file asks for.
type Parameter struct {
	Name     string
	Type     string   // string, int, float, bool or enum
	Choices  []string // of an enum
	Default  string   // as text; empty for one that has none
	Required bool     // it has no default, and must be given
	Help     string   // for people; empty: none
	line     int
}

// The types of parameters.
var parameterTypes = []string{"string", "int", "float", "bool", "enum"}

// parameterKeys is every key of a parameter.
var parameterKeys = table[parameterDef]{
	{name: "type", in: inJobFile,
		is:   oneOf[parameterDef, string]{func(p *parameterDef) *string { return &p.kind }, "type", parameterTypes, false},
		help: "What its value must be; the default is string, or enum if there are choices."},
	{name: "default", in: inJobFile,
		is:   given{func(p *parameterDef) **string { return &p.fallback }},
		help: "Its value where none is given."},
	{name: "required", in: inJobFile,
		is:   truths[parameterDef]{func(p *parameterDef) **bool { return &p.required }},
		help: "Whether a value must be given; the default is true for one without a default."},
	{name: "choices", in: inJobFile,
		is:   choices{lists[parameterDef]{func(p *parameterDef) *[]string { return &p.choices }, "choice", anyText, inJobFile}},
		help: "The values that it may have."},
	{name: "help", in: inJobFile,
		is:   texts[parameterDef]{func(p *parameterDef) *string { return &p.help }, anyText, true},
		help: "A sentence for people."},
}

// parameterDef is a parameter as it is written.
type parameterDef struct {
	kind, help string
	fallback   *string
	required   *bool
	choices    []string
}

// choices is a list that is not empty.
type choices struct{ lists[parameterDef] }

func (k choices) read(to *parameterDef, v value, in form) error {
	err := k.lists.read(to, v, in)
	if err == nil && len(to.choices) == 0 {
		err = errors.New("want at least one")
	}
	return err
}

func (k choices) schema(in form) *Schema {
	s := k.lists.schema(in)
	s.MinItems = 1
	return s
}

// given is a string that may be missing.
type given struct {
	field func(*parameterDef) **string
}

func (k given) read(to *parameterDef, v value, _ form) error {
	s, err := anyText.of(v)
	*k.field(to) = &s
	return err
}

func (k given) write(*objectWriter, string, *parameterDef, bool) {}
func (k given) schema(in form) *Schema                           { return anyText.schema(in) }

// truths is true or false, or unknown.
type truths[T any] struct {
	field func(*T) **bool
}

func (k truths[T]) read(to *T, v value, _ form) error {
	if v.kind() != boolean {
		return notThis(v, "true or false")
	}
	is := strings.EqualFold(v.raw(), "true")
	*k.field(to) = &is
	return nil
}

func (k truths[T]) write(*objectWriter, string, *T, bool) {}
func (k truths[T]) schema(form) *Schema                   { return &Schema{Type: "boolean"} }

// someParameters is the parameters of a job file.
type someParameters struct{}

func (someParameters) read(to *jobHead, v value, _ form) error {
	if v.kind() != object {
		return not(v, "an object of parameters")
	}
	return v.fields(func(name string, v value) error {
		p, err := parameterOf(name, v)
		if m := (*mistake)(nil); errors.As(err, &m) {
			return &mistake{on: m.on, err: fmt.Errorf("%s: %s: %w", words.Quote(name), words.Quote(m.key), m.err)}
		}
		if err != nil {
			return &mistake{on: v.line(), err: fmt.Errorf("%s: %w", words.Quote(name), err)}
		}
		to.parameters = append(to.parameters, p)
		return nil
	})
}

func (someParameters) write(*objectWriter, string, *jobHead, bool) {}

func (someParameters) schema(in form) *Schema {
	one := objectSchema(parameterKeys, in)
	one.Type = []string{"object", "null"}
	return &Schema{
		Type: "object", AdditionalProperties: one,
		PropertyNames: &Schema{Pattern: `^\p{L}[\p{L}\p{Nd}_-]*$`, Not: &Schema{Enum: []any{itemIs, nthIs}}},
	}
}

// parameterOf reads a parameter. One that says nothing is a string that must be given.
func parameterOf(name string, v value) (p Parameter, err error) {
	switch {
	case !isName(name):
		return p, errors.New("cannot be the name of a parameter: want letters, digits, _ and -, with a letter first")
	case name == itemIs || name == nthIs:
		return p, errors.New("is what a task with foreach calls its own")
	}
	var def parameterDef
	if v.kind() != null {
		if _, err = readObject(parameterKeys, v, &def, nil); err != nil {
			return p, err
		}
	}
	p = Parameter{Name: name, Type: def.kind, Choices: def.choices, Required: def.fallback == nil, Help: def.help, line: v.line()}
	if p.Type == "" {
		if p.Type = "string"; def.choices != nil {
			p.Type = "enum"
		}
	}
	if def.required != nil {
		p.Required = *def.required
	}
	switch {
	case p.Type == "enum" && len(p.Choices) == 0:
		return p, errors.New("is an enum and has no choices")
	case p.Type != "enum" && def.choices != nil:
		return p, fmt.Errorf("has choices, and is %s instead of an enum", p.Type)
	case p.Required && def.fallback != nil:
		return p, errors.New("is required, and so cannot have a default")
	}
	if def.fallback != nil {
		if p.Default, err = p.read(*def.fallback); err != nil {
			err = &mistake{key: "default", on: v.line(), err: err}
		}
	}
	return p, err
}

// read checks a value, and returns it as it stands in the file's texts.
func (p *Parameter) read(text string) (string, error) {
	switch p.Type {
	case "int":
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return "", fmt.Errorf("want a whole number, got %s", words.Quote(text))
		}
		return fmt.Sprint(n), nil
	case "float":
		if f, err := strconv.ParseFloat(text, 64); err != nil || math.IsInf(f, 0) || math.IsNaN(f) || strings.ContainsAny(text, "xXpP_") {
			return "", fmt.Errorf("want a number, got %s", words.Quote(text))
		}
	case "bool":
		on := strings.ToLower(text)
		if on != "true" && on != "false" {
			return "", fmt.Errorf("want true or false, got %s", words.Quote(text))
		}
		return on, nil
	case "enum":
		if !slices.Contains(p.Choices, text) {
			return "", fmt.Errorf("want %s, got %s", words.List(p.Choices), words.Quote(text))
		}
	}
	return text, nil
}

// standIn is a value that a parameter could have.
func (p *Parameter) standIn() string {
	switch p.Type {
	case "int", "float":
		return "1"
	case "bool":
		return "false"
	case "enum":
		return p.Choices[0]
	}
	return p.Name
}

// parameters gives the parameters their values: those that were given, and the
// defaults.
func (r *jobReader) parameters(list []Parameter) error {
	r.scope = scope{}
	var names []string
	for i := range list {
		names = append(names, list[i].Name)
	}
	for _, pair := range r.options.Params {
		name, text, ok := strings.Cut(pair, "=")
		i := slices.Index(names, name)
		_, twice := r.scope[name]
		switch {
		case !ok:
			return r.badParam(words.Quote(pair) + " is not KEY=VALUE, as in day=2026-01-31")
		case len(list) == 0:
			return r.badParam(words.Quote(name) + " is not wanted: the file has no parameters")
		case i < 0:
			return r.badParam(words.Quote(name) + " is not one of the file, want " + words.List(names))
		case twice:
			return r.badParam(words.Quote(name) + " is given twice")
		}
		text, err := list[i].read(text)
		if err != nil {
			return r.badParam(words.Quote(name) + ": " + err.Error())
		}
		r.scope[name] = text
	}
	for i := range list {
		p := &list[i]
		if _, has := r.scope[p.Name]; has {
			continue
		}
		r.scope[p.Name] = p.Default
		if !p.Required {
			continue
		}
		if !r.options.Check {
			err := fmt.Errorf("%s has no value; give --param %s=VALUE", words.Quote(p.Name), p.Name)
			return &mistake{key: "parameters", on: p.line, err: err}
		}
		r.unset = append(r.unset, p.Name)
		r.scope[p.Name] = p.standIn()
	}
	return nil
}

// badParam is an error about a parameter that was given.
func (r *jobReader) badParam(what string) error {
	return &Error{File: r.shown, Index: -1, Msg: "parameter " + what, Err: errors.New(what)}
}
