package strictyaml

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"go.yaml.in/yaml/v4"
	"go.yaml.in/yaml/v4/plugin/loaderlimits"

	"github.com/air-executor/air-executor/internal/words"
)

// maxDepth limits how deep lists and mappings may be nested.
const maxDepth = 64

// Parse returns the root mapping of the only document in data. Errors are of type
// *Error, and call data by this name. It returns nil if data has no value: it is empty,
// or has only comments.
func Parse(name string, data []byte) (*Map, error) {
	v, err := ParseValue(name, data)
	if v == nil || err != nil {
		return nil, err
	}
	return v.Map()
}

// ParseValue is Parse for a root of any type. If the document can be parsed but
// contains something that is not allowed, it returns the root with the error, for
// messages.
func ParseValue(name string, data []byte) (*Value, error) {
	data, err := checkText(name, data)
	if err != nil {
		return nil, err
	}
	if line := directive(data); line > 0 {
		return nil, &Error{File: name, Line: line, Msg: "directives (%) are not allowed"}
	}
	data = alignJSON(data)
	root, err := document(name, data)
	if root == nil || err != nil {
		return nil, err
	}
	v := &Value{file: name, node: root}
	return v, v.check()
}

// document returns the root of the only document, or nil if there is none or
// an empty one.
func document(name string, data []byte) (*yaml.Node, error) {
	limits := loaderlimits.New(loaderlimits.DepthValue(maxDepth))
	loader, err := yaml.NewLoader(bytes.NewReader(data), yaml.WithPlugin(limits))
	if err != nil {
		return nil, &Error{File: name, Msg: err.Error(), Err: err}
	}
	var first, second yaml.Node
	if err := loader.Load(&first); errors.Is(err, io.EOF) {
		return nil, nil
	} else if err != nil {
		return nil, syntaxError(name, data, err)
	}
	if err := loader.Load(&second); err == nil {
		msg := "another YAML document begins here; only one is allowed"
		return nil, &Error{File: name, Line: second.Line, Msg: msg}
	} else if !errors.Is(err, io.EOF) {
		return nil, syntaxError(name, data, err)
	}
	if len(first.Content) != 1 {
		return nil, nil
	}
	root := first.Content[0]
	if root.ShortTag() == "!!null" && root.Value == "" {
		return nil, nil
	}
	return root, nil
}

// directive returns the line of the first directive, such as %TAG, or 0. Directives
// come before a document. The YAML library needs quadratic time for them, so it must
// not see any.
func directive(data []byte) int {
	before := true // no document has begun, or the last one was ended by ...
	for line := 1; len(data) > 0; line++ {
		text, rest := cutLine(data)
		begin := bytes.TrimLeft(text, " \t\ufeff")
		switch {
		case bytes.HasPrefix(text, []byte("...")):
			before = true
		case !before, len(begin) == 0, begin[0] == '#':
		case begin[0] == '%':
			return line
		default:
			before = false
		}
		data = rest
	}
	return 0
}

// cutLine returns the first line of data and the rest. It splits lines as the YAML
// library does.
func cutLine(data []byte) (line, rest []byte) {
	for i, c := range data {
		switch {
		case c == '\r' && bytes.HasPrefix(data[i:], []byte("\r\n")):
			return data[:i], data[i+2:]
		case c == '\n', c == '\r':
			return data[:i], data[i+1:]
		case c == 0xC2 && bytes.HasPrefix(data[i:], []byte("\u0085")):
			return data[:i], data[i+2:]
		case c == 0xE2 && (bytes.HasPrefix(data[i:], []byte("\u2028")) || bytes.HasPrefix(data[i:], []byte("\u2029"))):
			return data[:i], data[i+3:]
		}
	}
	return data, nil
}

// syntaxError turns an error of the YAML library into an *Error with its place.
func syntaxError(name string, data []byte, err error) *Error {
	var load *yaml.LoadError
	if !errors.As(err, &load) {
		return &Error{File: name, Msg: "not valid YAML: " + err.Error(), Err: err}
	}
	e := &Error{File: name, Line: load.Mark.Line, Msg: "not valid YAML: " + load.Message, Err: err}
	begin := load.ContextMark.Line
	switch {
	case begin == 0:
	case strings.Contains(load.Message, "unexpected end of stream"),
		strings.Contains(load.Message, "could not find expected ':'"):
		e.Line = begin // the mark is where the library gave up, some lines after the mistake
	case begin != e.Line:
		e.Msg += fmt.Sprintf(" (%s that begins on line %d)", load.ContextMsg, begin)
	}
	text := bytes.TrimRight(data, " \t\r\n")
	e.Line = min(e.Line, 1+bytes.Count(text, []byte("\n"))) // at most the last line
	if indentedByTab(data, e.Line) {
		e.Msg += "; indent with spaces, not with tabs"
	}
	return e
}

// indentedByTab reports whether the indentation of a line has a tab.
func indentedByTab(data []byte, line int) bool {
	for n := 1; n < line; n++ {
		_, rest, found := bytes.Cut(data, []byte("\n"))
		if !found {
			return false
		}
		data = rest
	}
	blank := data[:len(data)-len(bytes.TrimLeft(data, " \t"))]
	return bytes.IndexByte(blank, '\t') >= 0
}

// check returns an error for the first node under v that uses a part of YAML that is
// not allowed. The depth is limited by maxDepth.
func (v Value) check() error {
	n := v.node
	switch {
	case n.Anchor != "": // this rules out aliases too: each needs an anchor before it
		return v.Errorf("anchors (&%s) are not allowed; write the value out where it is used", words.Clip(n.Anchor))
	case n.Style&yaml.TaggedStyle != 0 || n.Tag == "!":
		return v.Errorf("tags (%s) are not allowed", words.Clip(n.Tag))
	case n.Kind == yaml.MappingNode:
		return v.checkMapping()
	case n.Kind == yaml.SequenceNode:
		for i := range n.Content {
			if err := v.item(i).check(); err != nil {
				return err
			}
		}
	}
	return nil
}

// checkMapping is check for a mapping: its keys must be text and unique.
func (v Value) checkMapping() error {
	seen := make(map[string]int, len(v.node.Content)/2)
	for i := 0; i+1 < len(v.node.Content); i += 2 {
		key := Value{file: v.file, path: v.path, node: v.node.Content[i]}
		if key.node.ShortTag() == "!!merge" {
			return key.Errorf("merge keys (<<) are not allowed; write the values out")
		}
		if err := key.check(); err != nil {
			return err
		}
		name, err := key.keyName()
		if err != nil {
			return err
		}
		value := v.field(i)
		if line, ok := seen[name]; ok {
			return &Error{File: v.file, Line: key.Line(), Key: value.path.String(), Path: value.path, Msg: fmt.Sprintf("is already set on line %d", line)}
		}
		seen[name] = key.Line()
		if err := value.check(); err != nil {
			return err
		}
	}
	return nil
}

// keyName returns the text of a key of a mapping.
func (v Value) keyName() (string, error) {
	if v.node.Kind == yaml.MappingNode {
		return "", v.Errorf("a key must be text, not %s; a text that begins with {{ needs quotes", v.given())
	}
	if !v.isText() {
		return "", v.Errorf("a key must be text, not %s", v.given())
	}
	return v.node.Value, nil
}
