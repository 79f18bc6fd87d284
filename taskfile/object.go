package taskfile

import (
	"bytes"
	"errors"

	"github.com/go-json-experiment/json/jsontext"
)

// maxDepth limits how deep the arrays and objects of a task may be nested, as in
// SQLite's JSON.
const maxDepth = 1000

var errTooDeep = errors.New("arrays and objects are nested deeper than 1000")

// members is a parsed JSON object. It is valid until its stream reads the next one.
type members struct {
	raw  jsontext.Value
	at   int64 // offset in the file
	in   *stream
	list []member
	last jsonValue // the last result of value
}

// member is a key and its value. Positions are relative to the start of the object.
type member struct {
	key            []byte // without quotes and escapes
	keyFrom, keyTo int    // with quotes and escapes
	from, to       int    // the value
}

// read parses an object. It returns a *mistake for a key that occurs twice.
func (o *members) read(in *stream, raw jsontext.Value, at int64) error {
	o.raw, o.at, o.in, o.list = raw, at, in, o.list[:0]
	for dec := in.inside(raw); dec.PeekKind() != '}'; {
		key, err := dec.ReadValue()
		if err != nil {
			return err // it was valid before
		}
		var m member
		m.keyTo = int(dec.InputOffset())
		m.keyFrom = m.keyTo - len(key)
		v, err := dec.ReadValue()
		if err != nil {
			return err
		}
		m.to = int(dec.InputOffset())
		m.from = m.to - len(v)
		o.list = append(o.list, m)
	}
	for i := range o.list {
		m := &o.list[i]
		if m.key = raw[m.keyFrom+1 : m.keyTo-1]; bytes.IndexByte(m.key, '\\') >= 0 {
			m.key, _ = jsontext.AppendUnquote(nil, raw[m.keyFrom:m.keyTo])
		}
	}
	return o.unique()
}

// value returns the value of a member; valid until the next call.
func (o *members) value(i int) value {
	m := &o.list[i]
	o.last = jsonValue{bytes: o.raw[m.from:m.to], at: o.at + int64(m.from), in: o.in}
	return &o.last
}

// line returns the line on which the object begins.
func (o *members) line() int {
	line, _ := o.in.lines.at(o.at)
	return line
}

// lineOfKey returns the line of a member's key.
func (o *members) lineOfKey(i int) int {
	line, _ := o.in.lines.at(o.at + int64(o.list[i].keyFrom))
	return line
}

// find returns the index of a key, or -1.
func (o *members) find(key string) int {
	for i := range o.list {
		if string(o.list[i].key) == key {
			return i
		}
	}
	return -1
}

// unique returns a *mistake for a key that occurred before.
func (o *members) unique() error {
	const few = 24
	if len(o.list) > few {
		return o.uniqueOfMany()
	}
	for i := range o.list {
		for j := range i {
			if bytes.Equal(o.list[i].key, o.list[j].key) {
				return o.twice(j, i)
			}
		}
	}
	return nil
}

func (o *members) uniqueOfMany() error {
	seen := make(map[string]int, len(o.list))
	for i := range o.list {
		key := string(o.list[i].key)
		if first, ok := seen[key]; ok {
			return o.twice(first, i)
		}
		seen[key] = i
	}
	return nil
}

func (o *members) twice(first, second int) error {
	return &mistake{key: string(o.list[second].key), on: o.lineOfKey(second), err: alreadySet(o.lineOfKey(first))}
}

// keep appends a member to a JSON object that lacks its closing brace; nil is the empty
// object. Key and value are copied verbatim from the file.
func (o *members) keep(extra []byte, i int) ([]byte, error) {
	m := &o.list[i]
	if err := o.shallow(o.raw[m.from:m.to]); err != nil {
		return extra, err
	}
	if extra == nil {
		extra = append(extra, '{')
	} else {
		extra = append(extra, ',')
	}
	extra = append(extra, o.raw[m.keyFrom:m.keyTo]...)
	extra = append(extra, ':')
	return append(extra, o.raw[m.from:m.to]...), nil
}

// shallow refuses a value that is nested too deeply.
func (o *members) shallow(v jsontext.Value) error {
	if bytes.Count(v, []byte{'['})+bytes.Count(v, []byte{'{'}) < maxDepth {
		return nil
	}
	for dec := o.in.inside(v); dec.StackDepth() > 0; {
		if _, err := dec.ReadToken(); err != nil {
			return err
		}
		if dec.StackDepth() >= maxDepth {
			return errTooDeep
		}
	}
	return nil
}

// endExtra closes an object made by keep.
func endExtra(extra []byte) []byte {
	if extra == nil {
		return nil
	}
	return append(extra, '}')
}
