package main

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/alecthomas/kong"
)

// tailLines is a number of lines, or one of the words below.
type tailLines int

const (
	tailAuto tailLines = -1 // depends on where it is printed
	tailAll  tailLines = -2

	tailOnTerminal = 50
)

// Decode reads the number or word.
func (n *tailLines) Decode(c *kong.DecodeContext) error {
	t := c.Scan.Pop()
	if t.IsEOL() {
		return errNoValue
	}
	text := fmt.Sprint(t.Value)
	switch strings.ToLower(text) {
	case "auto":
		*n = tailAuto
		return nil
	case "all":
		*n = tailAll
		return nil
	}
	v, err := strconv.Atoi(text)
	if err != nil || v < 0 {
		return fmt.Errorf("want a number of lines or all, got %q", text)
	}
	*n = tailLines(v)
	return nil
}
