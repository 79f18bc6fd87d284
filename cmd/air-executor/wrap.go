package main

import (
	"slices"
	"strings"

	"github.com/jedib0t/go-pretty/v6/text"
)

// wrap breaks a text into lines of this width: at blanks, and inside a word only if it
// is longer than a line; then between its parts, if it has any.
func wrap(s string, width int) (lines []string) {
	line := ""
	for word := range strings.FieldsSeq(s) {
		if joined := strings.TrimPrefix(line+" "+word, " "); textWidth(joined) <= width {
			line = joined
			continue
		}
		if line != "" {
			lines = append(lines, line)
		}
		for textWidth(word) > width {
			cut := prefix(word, width)
			if cut == "" {
				break // there is no room for even one character
			}
			if i := strings.LastIndexAny(cut, "-_/.,:"); i >= len(cut)/2 {
				cut = cut[:i+1] // between the parts of an id or a path
			}
			lines, word = append(lines, cut), word[len(cut):]
		}
		line = word
	}
	return append(lines, line)
}

// prefix returns the longest prefix of s with at most this many columns.
func prefix(s string, width int) string {
	n := 0
	for i, r := range s {
		if n += text.RuneWidth(r); n > width {
			return s[:i]
		}
	}
	return s
}

// fold breaks a line that is longer than the terminal at blanks, and indents the other
// lines; width 0: there is no terminal. Our own commands are kept whole if they fit
// into a line, so that they can be copied. Words are never broken.
func fold(line string, width, indent int) []string {
	if width <= 2*indent || textWidth(line) <= width {
		return []string{line}
	}
	lead := len(line) - len(strings.TrimLeft(line, " "))
	var lines []string
	for _, piece := range foldable(line[lead:], width-indent) {
		last := len(lines) - 1
		if last >= 0 && textWidth(lines[last])+1+textWidth(piece) <= width {
			lines[last] += " " + piece
		} else if last >= 0 {
			lines = append(lines, strings.Repeat(" ", indent)+piece)
		} else {
			lines = append(lines, line[:lead]+piece)
		}
	}
	return lines
}

// foldable splits a text at blanks, except for commands in it that have at most this
// many columns. A command ends at a semicolon or at the end of the text.
func foldable(s string, width int) (pieces []string) {
	words := strings.Split(s, " ")
	for len(words) > 0 {
		n := 1
		if words[0] == "air-executor" {
			n = len(words)
			if end := slices.IndexFunc(words, func(w string) bool { return strings.HasSuffix(w, ";") }); end >= 0 {
				n = end + 1
			}
			if textWidth(strings.Join(words[:n], " ")) > width {
				n = 1
			}
		}
		pieces = append(pieces, strings.Join(words[:n], " "))
		words = words[n:]
	}
	return pieces
}
