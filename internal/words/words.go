// Package words shortens, quotes and compares the words of users for messages.
package words

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Clip shortens s for a message, without cutting a character in half.
func Clip(s string) string {
	const most = 60 // bytes
	if len(s) <= most {
		return s
	}
	cut := most
	for cut > 0 && !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut]
}

// Quote returns s in quotes for a message, shortened if it is long.
func Quote(s string) string {
	short := Clip(s)
	if len(short) < len(s) {
		return strconv.Quote(short) + "…"
	}
	return strconv.Quote(s)
}

// List returns an enumeration for a message: "a, b or c".
func List[T ~string](list []T) string {
	var b strings.Builder
	for i, word := range list {
		switch {
		case i > 0 && i == len(list)-1:
			b.WriteString(" or ")
		case i > 0:
			b.WriteString(", ")
		}
		b.WriteString(string(word))
	}
	return b.String()
}

// OneOf returns word if it is in the list, or an error that lists all of them. The
// error calls the words what.
func OneOf[T ~string](what, word string, list []T) (T, error) {
	for _, w := range list {
		if string(w) == word {
			return w, nil
		}
	}
	return "", fmt.Errorf("unknown %s %s, want %s", what, Quote(word), List(list))
}
