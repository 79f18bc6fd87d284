package strictyaml

import (
	"go.yaml.in/yaml/v4"
)

// Column returns the column in which the value begins, in characters from 1.
func (v Value) Column() int { return v.node.Column }

// ColumnOn returns the column, in characters from 1, in which the first key of that
// name begins on a line, or the first key or value there at all, lists excepted. 0: there is none.
func (v Value) ColumnOn(line int, key string) int {
	first := 0
	var walk func(n *yaml.Node) int
	walk = func(n *yaml.Node) int {
		for i, c := range n.Content {
			if c.Line == line {
				if n.Kind == yaml.MappingNode && i%2 == 0 && c.Value == key {
					return c.Column
				}
				if first == 0 && c.Kind != yaml.SequenceNode {
					first = c.Column
				}
			}
			if found := walk(c); found > 0 {
				return found
			}
		}
		return 0
	}
	if v.node.Line == line {
		first = v.node.Column
	}
	if found := walk(v.node); found > 0 {
		return found
	}
	return first
}

// Rewrite returns the value with each text in it, keys excepted, replaced by what fn
// returns for it. Lines and paths stay as they are. The value itself is left alone,
// and returned if nothing differs. The first error of fn ends it.
func (v Value) Rewrite(fn func(Value) (string, error)) (Value, error) {
	child := func(i int) Value { return v.item(i) }
	first, step := 0, 1
	switch v.Kind() {
	case Text:
		s, err := fn(v)
		if err != nil || s == v.node.Value {
			return v, err
		}
		n := *v.node
		n.Value, n.Tag = s, "!!str"
		v.node = &n
		return v, nil
	case Mapping:
		child = func(i int) Value { return v.field(i - 1) }
		first, step = 1, 2
	case List:
	default:
		return v, nil
	}
	content := v.node.Content
	for i := first; i < len(v.node.Content); i += step {
		was := child(i)
		is, err := was.Rewrite(fn)
		if err != nil {
			return v, err
		}
		if is.node == was.node {
			continue
		}
		if &content[0] == &v.node.Content[0] {
			content = append([]*yaml.Node(nil), content...)
		}
		content[i] = is.node
	}
	if len(content) > 0 && &content[0] != &v.node.Content[0] {
		n := *v.node
		n.Content = content
		v.node = &n
	}
	return v, nil
}

// Over returns a mapping with its own entries, and those of base that it lacks
// before them. The mappings under the keys in deep are put together in the same
// way. What is no mapping is returned as it is.
func (v Value) Over(base Value, deep ...string) Value {
	if v.node.Kind != yaml.MappingNode || base.node == nil || base.node.Kind != yaml.MappingNode {
		return v
	}
	n := *v.node
	own := map[string]int{}
	n.Content = nil
	for i := 0; i+1 < len(v.node.Content); i += 2 {
		own[v.node.Content[i].Value] = i
	}
	for i := 0; i+1 < len(base.node.Content); i += 2 {
		if _, has := own[base.node.Content[i].Value]; !has {
			n.Content = append(n.Content, base.node.Content[i], base.node.Content[i+1])
		}
	}
	n.Content = append(n.Content, v.node.Content...)
	for _, key := range deep {
		i, has := own[key]
		if !has {
			continue
		}
		for k := 0; k+1 < len(base.node.Content); k += 2 {
			if base.node.Content[k].Value == key {
				at := len(n.Content) - len(v.node.Content) + i + 1
				n.Content[at] = v.field(i).Over(base.field(k)).node
			}
		}
	}
	v.node = &n
	return v
}

// Without returns a mapping without a key.
func (v Value) Without(key string) Value {
	n := *v.node
	n.Content = nil
	for i := 0; i+1 < len(v.node.Content); i += 2 {
		if v.node.Content[i].Value != key {
			n.Content = append(n.Content, v.node.Content[i], v.node.Content[i+1])
		}
	}
	v.node = &n
	return v
}
