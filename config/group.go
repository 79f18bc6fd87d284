package config

import (
	"slices"
	"strings"

	"github.com/air-executor/air-executor/internal/strictyaml"
)

// A key with a dot in its name is one of a group: the key retention.keep is the key
// keep in the mapping retention. It may also be written with its whole name.

// groupsOf returns the names of the groups, each with the keys in it, and the keys and
// groups that a file may have at its top, in order.
func groupsOf(known []string) (groups map[string][]string, top []string) {
	groups = map[string][]string{}
	for _, name := range known {
		group, key, ok := strings.Cut(name, ".")
		if groups[group] == nil {
			top = append(top, group)
		}
		if ok {
			groups[group] = append(groups[group], key)
		}
	}
	return groups, top
}

// flatten gives the keys in groups their whole names. It returns what it could read,
// and the first mistake.
func flatten(m *strictyaml.Map, known []string) (entries []strictyaml.Entry, wrong error) {
	groups, top := groupsOf(known)
	others := *m
	others.Entries = slices.DeleteFunc(slices.Clone(m.Entries), func(e strictyaml.Entry) bool { return slices.Contains(known, e.Key) })
	wrong = others.CheckKeys(top)
	note := func(err error) {
		if wrong == nil {
			wrong = err
		}
	}
	seen := map[string]bool{}
	add := func(e strictyaml.Entry) {
		if seen[e.Key] {
			note(e.Value.Errorf("is there twice, once as %s", e.Key))
		}
		seen[e.Key] = true
		entries = append(entries, e)
	}
	for _, e := range m.Entries {
		keys, ok := groups[e.Key]
		if !ok {
			add(e)
			continue
		}
		inner, err := e.Value.Map()
		if err != nil {
			note(err)
			continue
		}
		note(inner.CheckKeys(keys))
		for _, i := range inner.Entries {
			i.Key = e.Key + "." + i.Key
			add(i)
		}
	}
	return entries, wrong
}
