package api

import (
	"encoding/json"
	"flag"
	"os"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"
)

var update = flag.Bool("update", false, "write openapi.json anew")

// The document that is served is openapi.yaml, as JSON.
func TestTheServedDocumentIsTheSource(t *testing.T) {
	source, err := os.ReadFile("openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var doc any
	if err := yaml.Unmarshal(source, &doc); err != nil {
		t.Fatal(err)
	}
	want, err := json.MarshalIndent(doc, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile("openapi.json", append(want, '\n'), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if documentJSON != string(want)+"\n" {
		t.Error("openapi.json is not openapi.yaml: go generate ./api")
	}
}

// A comma in a text that has no quotes begins another key, which is null.
func TestNoTextOfTheDocumentIsCutOff(t *testing.T) {
	var doc any
	if err := json.Unmarshal([]byte(documentJSON), &doc); err != nil {
		t.Fatal(err)
	}
	var walk func(at string, v any)
	walk = func(at string, v any) {
		switch v := v.(type) {
		case map[string]any:
			for key, inner := range v {
				if inner == nil {
					t.Errorf("%s: the key %q has no value: does the text before it need quotes?", at, key)
				}
				walk(at+"/"+key, inner)
			}
		case []any:
			for _, inner := range v {
				walk(at, inner)
			}
		}
	}
	walk("", doc)
}

// Each route is in the document, with its operation, and each operation has a route.
func TestRoutesAreThoseOfTheDocument(t *testing.T) {
	ops := parsed()
	seen := map[string]bool{}
	for _, r := range routes() {
		at := r.method + " " + r.path
		if seen[at] {
			t.Errorf("%s is there twice", at)
		}
		seen[at] = true
		op := ops[at]
		if op == nil {
			t.Errorf("%s is not in the document", at)
			continue
		}
		if op.ID != r.operation {
			t.Errorf("%s is %s in the document, and %s in the table", at, op.ID, r.operation)
		}
		if open := op.Security != nil && len(*op.Security) == 0; open != (r.access == anyone) {
			t.Errorf("%s: the document and the table do not agree whether it needs a token", at)
		}
		if r.method != "GET" && r.access == reads || r.method == "GET" && r.access == changes {
			t.Errorf("%s: a GET changes nothing, and the read token is for GET only", at)
		}
	}
	for at, op := range ops {
		if !seen[at] {
			t.Errorf("%s (%s) has no route", at, op.ID)
		}
	}
}

// What the checks of parameters do not understand must not be in the document.
func TestParametersHaveKnownSchemas(t *testing.T) {
	var doc map[string]any
	if err := json.Unmarshal([]byte(documentJSON), &doc); err != nil {
		t.Fatal(err)
	}
	known := []string{"type", "enum", "items", "maxItems", "minimum", "maximum", "minLength", "maxLength", "default", "format", "x-enum-varnames"}
	var walk func(at string, v any)
	walk = func(at string, v any) {
		switch v := v.(type) {
		case map[string]any:
			if s, ok := v["schema"].(map[string]any); ok && v["in"] == "query" {
				for key := range s {
					if !slices.Contains(known, key) {
						t.Errorf("%s: parameter %v: the check of parameters does not know %s", at, v["name"], key)
					}
				}
			}
			for key, inner := range v {
				walk(at+"/"+key, inner)
			}
		case []any:
			for _, inner := range v {
				walk(at, inner)
			}
		}
	}
	walk("", doc)
}

// Every problem has a page, and says something of its own.
func TestProblemsAreToldApart(t *testing.T) {
	names := map[string]bool{}
	for _, p := range problems() {
		if names[p.name] || p.help == "" || p.title == "" || strings.ToLower(p.name) != p.name {
			t.Errorf("problem %q", p.name)
		}
		names[p.name] = true
	}
}
