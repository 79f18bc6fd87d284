package main

import (
	"os"
	"strings"

	"github.com/air-executor/air-executor/job"
)

// The colours, as numbers of the sequence that sets them.
const (
	green  = "32"
	red    = "31"
	yellow = "33"
	bold   = "1"
	grey   = "90"
)

// paint puts s in a colour.
func paint(s, code string) string { return "\x1b[" + code + "m" + s + "\x1b[0m" }

// colourOf is the colour of a state or status.
func colourOf(state string) string {
	switch state {
	case string(job.Failed):
		return red
	case string(job.StateWorking), string(job.Running):
		return yellow
	case string(job.Completed):
		return green
	}
	return ""
}

// symbols are the non-ASCII characters that are printed, or their replacements.
type symbols struct {
	yes, no      string // in tables
	done, failed string // in front of lines
	bar, rest    string // of a progress bar
	more         string // where something was cut
}

// marks are the symbols that the locale has.
func marks() symbols {
	if plainASCII() {
		return symbols{yes: "yes", no: "no", done: "+", failed: "x", bar: "#", rest: "-", more: "..."}
	}
	return symbols{yes: "✓", no: "✗", done: "✓", failed: "✗", bar: "━", rest: "─", more: "…"}
}

// plainASCII reports whether the locale says that text is not UTF-8. If it says
// nothing, as in containers, a dumb terminal gets ASCII.
func plainASCII() bool {
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		switch v := os.Getenv(name); {
		case v == "":
			continue
		case v == "C" || v == "POSIX":
			return true
		default:
			_, charset, found := strings.Cut(v, ".")
			charset, _, _ = strings.Cut(charset, "@")
			return found && !strings.EqualFold(strings.ReplaceAll(charset, "-", ""), "utf8")
		}
	}
	return os.Getenv("TERM") == "dumb"
}
