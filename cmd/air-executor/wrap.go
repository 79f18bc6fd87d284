package main

import (
	"slices"
	"strings"

	"github.com/jedib0t/go-pretty/v6/text"
)

// wrap breaks a text into lines of a width: at blanks, and a word only where it is
// longer than a line; then between its parts, if it has any.
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

// prefix is the beginning of s that has at most that many columns.
func prefix(s string, width int) string {
	n := 0
	for i, r := range s {
		if n += text.RuneWidth(r); n > width {
			return s[:i]
		}
	}
	return s
}

// fold breaks a line at blanks, and indents what follows, if it is longer than a
// terminal is wide; 0: there is none. Commands of ours stay whole if a line can
// hold them, so that they can be copied, and so do words, however long they are.
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

// foldable takes a text apart at blanks, but for the commands in it that have at
// most that many columns. One reaches to a semicolon or the end.
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
