package api

import (
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/air-executor/air-executor/internal/words"
)

// parameters reads the query into a struct that was generated from the document, and
// checks it against the document. All faults are in one error.
func (c *call) parameters(into any) error {
	values, err := url.ParseQuery(c.URL.RawQuery)
	if err != nil {
		return badParameter.errorf("the query cannot be read: %v", err)
	}
	op := c.route.doc()
	var faults []Fault
	for name, given := range values {
		p := op.query(name)
		if p == nil {
			faults = append(faults, Fault{Pointer: name, Message: unknown(name, op.queries())})
			continue
		}
		if m := p.Schema.check(given); m != "" {
			faults = append(faults, Fault{Pointer: name, Message: m})
		}
	}
	if len(faults) > 0 {
		slices.SortFunc(faults, func(a, b Fault) int { return strings.Compare(a.Pointer, b.Pointer) })
		p := wrongParameter(faults[0].Pointer, faults[0].Message)
		p.faults = faults
		return p
	}
	fill(reflect.ValueOf(into).Elem(), values)
	return nil
}

// wrongParameter is the error about one parameter.
func wrongParameter(name, what string) *problem {
	p := badParameter.errorf("%s %s", name, what)
	p.faults = []Fault{{Pointer: name, Message: what}}
	return p
}

// unknown says that there is no such parameter.
func unknown(name string, known []string) string {
	if near := words.Nearest(name, known); near != "" {
		return "is no parameter of this; did you mean " + near + "?"
	}
	return "is no parameter of this"
}

// check returns what is wrong with the values of a parameter, or "".
func (s *schema) check(values []string) string {
	one := s
	if s.Type == "array" {
		if s.MaxItems > 0 && len(values) > s.MaxItems {
			return "may be given at most " + strconv.Itoa(s.MaxItems) + " times"
		}
		one = s.Items
	} else if len(values) > 1 {
		return "is given more than once"
	}
	for _, v := range values {
		if m := one.checkOne(v); m != "" {
			return m
		}
	}
	return ""
}

func (s *schema) checkOne(v string) string {
	if !utf8.ValidString(v) {
		return "is not valid UTF-8"
	}
	switch s.Type {
	case "integer", "number":
		var n float64
		var err error
		if s.Type == "integer" {
			var i int64
			i, err = strconv.ParseInt(v, 10, 64)
			n = float64(i)
		} else {
			n, err = strconv.ParseFloat(v, 64)
		}
		if err != nil || s.Minimum != nil && !(n >= *s.Minimum) || s.Maximum != nil && !(n <= *s.Maximum) {
			return "must be " + s.numbers() + ", not " + words.Quote(v)
		}
	case "boolean":
		if v != "true" && v != "false" {
			return "must be true or false, not " + words.Quote(v)
		}
	case "string":
		switch n := utf8.RuneCountInString(v); {
		case len(s.Enum) > 0 && !slices.Contains(s.Enum, v):
			last := len(s.Enum) - 1
			return "must be " + strings.Join(s.Enum[:last], ", ") + " or " + s.Enum[last] + ", not " + words.Quote(v)
		case n < s.MinLength:
			return "is empty"
		case s.MaxLength > 0 && n > s.MaxLength:
			return "is longer than " + strconv.Itoa(s.MaxLength) + " characters"
		}
	}
	return ""
}

// numbers describes which numbers a parameter may be.
func (s *schema) numbers() string {
	text := "a number"
	if s.Type == "integer" {
		text = "a whole number"
	}
	show := func(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }
	switch {
	case s.Minimum != nil && s.Maximum != nil:
		return text + " from " + show(*s.Minimum) + " to " + show(*s.Maximum)
	case s.Minimum != nil:
		return text + " from " + show(*s.Minimum) + " on"
	}
	return text
}

// fill sets the fields of a struct of parameters, by the names in their tags. The
// values are right.
func fill(into reflect.Value, values url.Values) {
	for i := range into.NumField() {
		name, _, _ := strings.Cut(into.Type().Field(i).Tag.Get("form"), ",")
		given, ok := values[name]
		if !ok {
			continue
		}
		field := reflect.New(into.Field(i).Type().Elem())
		into.Field(i).Set(field)
		switch to := field.Elem(); to.Kind() {
		case reflect.Slice:
			to.Set(reflect.ValueOf(given))
		case reflect.String:
			to.SetString(given[0])
		case reflect.Int, reflect.Int64:
			n, _ := strconv.ParseInt(given[0], 10, 64)
			to.SetInt(n)
		case reflect.Float64:
			f, _ := strconv.ParseFloat(given[0], 64)
			to.SetFloat(f)
		case reflect.Bool:
			to.SetBool(given[0] == "true")
		}
	}
}

// or returns what a parameter is, or what it is if it is not given.
func or[T any](p *T, otherwise T) T {
	if p == nil {
		return otherwise
	}
	return *p
}
