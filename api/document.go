package api

import (
	_ "embed"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"sync"
)

// documentJSON is openapi.yaml as JSON. A test writes it.
//
//go:embed openapi.json
var documentJSON string

// operation is what the document says of an endpoint, as far as the server needs it.
type operation struct {
	ID         string       `json:"operationId"`
	Parameters []*parameter `json:"parameters"`
	Security   *[]any       `json:"security"` // empty: no token is needed
	Responses  map[string]struct {
		Ref     string         `json:"$ref"`
		Content map[string]any `json:"content"`
	} `json:"responses"`
}

// parameter is one of an operation.
type parameter struct {
	Ref      string `json:"$ref"`
	Name     string `json:"name"`
	In       string `json:"in"`
	Required bool   `json:"required"`
	Schema   schema `json:"schema"`
}

// schema is what a parameter may be.
type schema struct {
	Type      string   `json:"type"`
	Enum      []string `json:"enum"`
	Items     *schema  `json:"items"`
	MaxItems  int      `json:"maxItems"`
	Minimum   *float64 `json:"minimum"`
	Maximum   *float64 `json:"maximum"`
	MinLength int      `json:"minLength"`
	MaxLength int      `json:"maxLength"`
}

// parsed is the document. It is read when the first server starts, and not by the
// processes that serve nothing.
var parsed = sync.OnceValue(func() map[string]*operation {
	var doc struct {
		Paths      map[string]map[string]json.RawMessage `json:"paths"`
		Components struct {
			Parameters map[string]*parameter `json:"parameters"`
		} `json:"components"`
	}
	if err := json.Unmarshal([]byte(documentJSON), &doc); err != nil {
		panic(err) // it is a part of the program, and the tests read it
	}
	out := map[string]*operation{}
	for path, item := range doc.Paths {
		for method, raw := range item {
			if method == "parameters" {
				continue
			}
			var op operation
			if err := json.Unmarshal(raw, &op); err != nil {
				panic(err)
			}
			for i, p := range op.Parameters {
				if name, is := strings.CutPrefix(p.Ref, "#/components/parameters/"); is {
					op.Parameters[i] = doc.Components.Parameters[name]
				}
			}
			out[strings.ToUpper(method)+" "+path] = &op
		}
	}
	return out
})

// doc is what the document says of the route.
func (r *route) doc() *operation { return parsed()[r.method+" "+r.path] }

// query returns the parameter of the query with this name, or nil.
func (o *operation) query(name string) *parameter {
	for _, p := range o.Parameters {
		if p.In == "query" && p.Name == name {
			return p
		}
	}
	return nil
}

// queries are the names of the parameters of the query.
func (o *operation) queries() (names []string) {
	for _, p := range o.Parameters {
		if p.In == "query" {
			names = append(names, p.Name)
		}
	}
	return names
}

// produces are the types of what is answered if all is well.
func (o *operation) produces() []string {
	kinds := map[string]bool{}
	for status, r := range o.Responses {
		if strings.HasPrefix(status, "2") {
			for kind := range r.Content {
				kinds[kind] = true
			}
		}
		if r.Ref != "" && status == "200" {
			kinds["application/json"] = true
		}
	}
	return slices.Sorted(maps.Keys(kinds))
}
