package taskfile

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/air-executor/air-executor/job"
)

// Schema is a JSON Schema (2020-12), limited to what the tables of keys need.
type Schema struct {
	Schema      string `json:"$schema,omitempty"`
	Title       string `json:"title,omitempty"`
	Description string `json:"description,omitempty"`

	Type    any    `json:"type,omitempty"` // a string, or a list of them
	Enum    []any  `json:"enum,omitempty"`
	Pattern string `json:"pattern,omitempty"`

	MinLength        int         `json:"minLength,omitempty"`
	MaxLength        int         `json:"maxLength,omitempty"`
	Minimum          json.Number `json:"minimum,omitempty"`
	ExclusiveMinimum json.Number `json:"exclusiveMinimum,omitempty"`
	Maximum          json.Number `json:"maximum,omitempty"`

	Items       *Schema `json:"items,omitempty"`
	MinItems    int     `json:"minItems,omitempty"`
	UniqueItems bool    `json:"uniqueItems,omitempty"`

	Properties           properties `json:"properties,omitempty"`
	Required             []string   `json:"required,omitempty"`
	MinProperties        int        `json:"minProperties,omitempty"`
	MaxProperties        int        `json:"maxProperties,omitempty"`
	PropertyNames        *Schema    `json:"propertyNames,omitempty"`
	AdditionalProperties any        `json:"additionalProperties,omitempty"` // false, or a *Schema

	AnyOf []*Schema `json:"anyOf,omitempty"`
	Not   *Schema   `json:"not,omitempty"`
	If    *Schema   `json:"if,omitempty"`
	Then  *Schema   `json:"then,omitempty"`
}

// properties are the keys of an object, in order.
type properties []property

type property struct {
	name string
	of   *Schema
}

// MarshalJSON writes an object.
func (p properties) MarshalJSON() ([]byte, error) {
	b := []byte{'{'}
	for i, one := range p {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(appendString(b, one.name), ':')
		of, err := plainJSON(one.of)
		if err != nil {
			return nil, err
		}
		b = append(b, of...)
	}
	return append(b, '}'), nil
}

// plainJSON does not escape <, > and &.
func plainJSON(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return bytes.TrimSpace(b.Bytes()), err
}

// Published lists the published schemas, and what each describes.
var Published = []struct{ Name, What string }{
	{"job", "job files of air-executor run, in YAML or JSON"},
	{"enqueue", "files of air-executor enqueue --from-file: each of the JSON lines, or the whole array"},
	{"tasks", "tasks.json, as air-executor import reads it and export writes it"},
	{"state", "state.json, as air-executor import reads it and export writes it"},
}

// JSONSchema returns one of the published schemas, which are generated from the tables
// of keys.
//
// They are less strict than the program where a schema cannot express a rule: keys, ids
// and variables must be unique; dependencies must exist and form no cycle; an id has at
// most 255 bytes and a visible character, and uses joiners correctly; dates must exist;
// a time with a unit is at least a millisecond and not too long; the range of a number
// in quotes; how a number that names a job is written; an unknown key must not look
// like a mistyped one; the nesting depth of other tools' values; the type of a
// parameter's default; the result of a template.
func JSONSchema(name string) ([]byte, error) {
	var s *Schema
	switch name {
	case "job":
		s = objectSchema(jobKeys, inJobFile)
	case "enqueue":
		task := objectSchema(taskKeys, inLines)
		s = &Schema{AnyOf: []*Schema{task, {Type: "array", Items: task}}}
	case "tasks":
		task := objectSchema(taskKeys, inTasks)
		task.If, task.Then = notFailed()
		s = &Schema{Type: "array", Items: task}
	case "state":
		s = objectSchema(stateKeys, inState)
	default:
		return nil, fmt.Errorf("no schema is called %q", name)
	}
	s.Schema = "https://json-schema.org/draft/2020-12/schema"
	for _, p := range Published {
		if p.Name == name {
			s.Title = p.What
		}
	}
	b, err := plainJSON(s)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	err = json.Indent(&out, b, "", "  ")
	return append(out.Bytes(), '\n'), err
}

// objectSchema describes an object by its table.
func objectSchema[T any](t table[T], in form) *Schema {
	s := &Schema{Type: "object"}
	if !in.keepsUnknown() {
		s.AdditionalProperties = false
	}
	for i := range t {
		k := &t[i]
		if k.skip.has(in) && s.AdditionalProperties != nil {
			s.Properties = append(s.Properties, property{k.name, &Schema{Description: "Of an earlier run; ignored."}})
		}
		if !k.in.has(in) {
			continue
		}
		of := k.is.schema(in)
		if k.must.has(in) {
			s.Required = append(s.Required, k.name)
		} else if in.takesNull() {
			of = orNull(of)
		}
		of.Description = k.help
		s.Properties = append(s.Properties, property{k.name, of})
	}
	return s
}

// orNull allows null too, which means the same as no key.
func orNull(s *Schema) *Schema {
	switch {
	case len(s.AnyOf) > 0:
		s.AnyOf = append(s.AnyOf, &Schema{Type: "null"})
	case s.Enum != nil:
		s.Enum = append(s.Enum, nil)
	default:
		s.Type = append(types(s.Type), "null")
	}
	return s
}

func types(t any) []string {
	if list, ok := t.([]string); ok {
		return list
	}
	return []string{t.(string)}
}

// notFailed requires that only failed tasks have a reason.
func notFailed() (when, then *Schema) {
	failed := &Schema{Properties: properties{{"status", &Schema{Enum: []any{string(job.Failed)}}}}, Required: []string{"status"}}
	return &Schema{Not: failed}, &Schema{Properties: properties{{"reason", &Schema{Enum: []any{"", nil}}}}}
}

// schema describes the strings that obey the rule. In job files, numbers and booleans
// count as strings.
func (r rule) schema(in form) *Schema {
	s := &Schema{Type: "string", Pattern: r.pattern, MinLength: r.min, MaxLength: r.max}
	if in == inJobFile {
		s.Type = []string{"string", "number", "boolean"}
	}
	if in == inJobFile && r.max > 0 { // a template may be longer than what it becomes
		length := fmt.Sprintf("{%d,%d}$", r.min, r.max)
		s.Pattern, s.MaxLength = strings.NewReplacer("+$", length, "*$", length).Replace(r.pattern)+orTemplate, 0
	}
	return s
}

// orTemplate adds to a pattern of a job file what only the program can fill in.
const orTemplate = `|\{\{`

// wholeSchema describes whole numbers; in job files they may be in quotes.
func wholeSchema(in form, low, high int) *Schema {
	s := &Schema{Type: "integer", Minimum: numeral(low), Maximum: numeral(high)}
	if in == inJobFile {
		s.Type, s.Pattern = []string{"integer", "string"}, `^-?(0|[1-9][0-9]*)$`+orTemplate
	}
	return s
}

func numeral(n int) json.Number { return json.Number(fmt.Sprint(n)) }

// The forms of times in texts: seconds, or numbers with units.
const (
	countPattern = `(\+?0*[1-9][0-9]*)`
	unitsPattern = `(\+?(([0-9]+(\.[0-9]*)?|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h))+)`
)

// limitSchema describes time limits.
func limitSchema(in form) *Schema {
	pattern := "^(none|" + countPattern + "|" + unitsPattern + ")$"
	s := &Schema{Type: "number", Minimum: json.Number(fmt.Sprint(job.MinDuration.Seconds())), Maximum: "9223372036.854775807"}
	if in == inJobFile {
		s = &Schema{Type: "integer", Minimum: "1", Maximum: numeral(int(math.MaxInt64 / time.Second))}
		pattern += orTemplate
	}
	return &Schema{AnyOf: []*Schema{{Type: "string", Pattern: pattern}, s}}
}

// instantSchema describes points in time.
func instantSchema() *Schema {
	const (
		day    = `[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])`
		clock  = `([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,9})?`
		offset = `(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])?`
		most   = "20000000000000" // milliseconds
	)
	return &Schema{AnyOf: []*Schema{
		{Type: "string", Pattern: "^" + day + "([T ]" + clock + offset + ")?$"},
		{Type: "number", Minimum: "-" + most, Maximum: most},
	}}
}
