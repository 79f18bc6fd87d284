package main

import (
	"io"
	"os"
	"slices"
	"strconv"

	"github.com/air-executor/air-executor/internal/plainjson"
)

// envJSON is the variable that asks for JSON.
const envJSON = "AIR_EXECUTOR_JSON"

// wantsJSONByEnv reads the variable. Values other than yes and no are refused.
func wantsJSONByEnv() (bool, error) {
	v := os.Getenv(envJSON)
	if v == "" {
		return false, nil
	}
	return strconv.ParseBool(v)
}

// wantsJSON reports whether --json is among the flags of a command line that may be
// invalid.
func wantsJSON(args []string) bool {
	if end := slices.Index(args, "--"); end >= 0 {
		args = args[:end]
	}
	return slices.Contains(args, "--json")
}

// jsonWanted reports whether JSON is wanted, by flag or by environment.
func jsonWanted(flag bool) bool {
	on, _ := wantsJSONByEnv() // a wrong value was refused
	return flag || on
}

// json reports whether JSON is wanted.
func (ui *ui) json() bool { return ui.asJSON }

// printJSON prints v, indented.
func (ui *ui) printJSON(v any) error {
	return writeJSON(ui.out, v, "  ")
}

// writeJSON writes v as JSON, in lines if there is an indent.
func writeJSON(w io.Writer, v any, indent string) error {
	b, err := marshalJSON(v, "", indent)
	if err == nil {
		_, err = w.Write(append(b, '\n'))
	}
	return err
}

// marshalJSON is json.MarshalIndent, except that it does not escape < and >, and
// escapes characters that could manipulate a terminal.
func marshalJSON(v any, prefix, indent string) ([]byte, error) {
	return plainjson.Marshal(v, prefix, indent)
}

// writeLine writes v as one line of JSON.
func writeLine(w io.Writer, v any) error {
	return writeJSON(w, v, "")
}
