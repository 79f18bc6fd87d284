package job

import (
	"bytes"
	"slices"
)

// object is a JSON object that was taken apart. It is valid until its scanner
// reads on.
type object struct {
	raw     []byte
	members []member
	line    int // of the opening brace
}

// member is a key with its value. Positions count from the start of the
// object.
type member struct {
	key            []byte // without quotes and escapes
	keyFrom, keyTo int    // with quotes and escapes
	from, to       int    // the value
}

// object takes apart the object that must begin at the next byte.
func (s *scanner) object(o *object) error {
	if c, _ := s.next(); c != '{' {
		return s.wrongType("an object")
	}
	s.held = s.pos
	defer func() { s.held = -1 }()
	o.line = s.line
	o.members = o.members[:0]
	if err := s.members(1, &o.members); err != nil {
		return err
	}
	o.raw = s.buf[s.held:s.pos]
	for i := range o.members {
		m := &o.members[i]
		m.key = unquote(o.raw[m.keyFrom:m.keyTo])
	}
	if m := o.duplicate(); m != nil {
		return &FileError{Index: -1, Line: o.lineOf(m), Key: string(m.key), Msg: "the key occurs twice in one object"}
	}
	return nil
}

// scanObject takes apart a JSON object that is alone in memory.
func scanObject(data []byte, o *object) error {
	s := scanBytes(data)
	s.skipBOM()
	if err := s.object(o); err != nil {
		return err
	}
	return s.end()
}

func (o *object) value(m *member) value { return o.raw[m.from:m.to] }

func (o *object) has(key string) bool {
	return slices.ContainsFunc(o.members, func(m member) bool { return string(m.key) == key })
}

// lineOf is the line of a member's value.
func (o *object) lineOf(m *member) int {
	return o.line + bytes.Count(o.raw[:m.from], []byte{'\n'})
}

// duplicate returns a member whose key an earlier one has, or nil.
func (o *object) duplicate() *member {
	const few = 24
	if len(o.members) > few {
		return o.duplicateOfMany()
	}
	for i := range o.members {
		for j := range i {
			if bytes.Equal(o.members[i].key, o.members[j].key) {
				return &o.members[i]
			}
		}
	}
	return nil
}

func (o *object) duplicateOfMany() *member {
	seen := make(map[string]bool, len(o.members))
	for i := range o.members {
		m := &o.members[i]
		if seen[string(m.key)] {
			return m
		}
		seen[string(m.key)] = true
	}
	return nil
}

// lookUp returns the element of list that is key, or "".
func lookUp(list []string, key []byte) string {
	for _, name := range list {
		if string(key) == name {
			return name
		}
	}
	return ""
}
