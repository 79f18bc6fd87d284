package main

import (
	"fmt"
	"regexp"

	"github.com/alecthomas/kong"
)

// pattern is a regular expression.
type pattern struct{ *regexp.Regexp }

// Decode reads it.
func (p *pattern) Decode(c *kong.DecodeContext) (err error) {
	text, err := popSigned(c)
	if err != nil {
		return err
	}
	if p.Regexp, err = regexp.Compile(text); err != nil {
		return fmt.Errorf("%w; see https://pkg.go.dev/regexp/syntax", err)
	}
	return nil
}
