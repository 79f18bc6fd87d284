package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

// Words of the configuration may be in any case, and so may those of every flag.
func TestWordsMayBeInAnyCase(t *testing.T) {
	tried := 0
	try := func(line []string, v *kong.Value) {
		for word := range strings.SplitSeq(v.Tag.Get("words"), ",") {
			for _, as := range []string{strings.ToUpper(word), strings.ToLower(word)} {
				parser := newParser(new(commandLine), nil)
				words := append([]string{}, line...)
				if v.Flag != nil {
					words = append(words, "--"+v.Name)
				}
				c, err := parser.Parse(append(words, as))
				if err != nil {
					t.Errorf("%s %s: %v", line, as, err)
					continue
				}
				got := ""
				for _, p := range c.Path {
					switch {
					case p.Flag != nil && p.Flag.Name == v.Name:
						got = strings.Trim(fmt.Sprint(c.FlagValue(p.Flag)), "[]") // of a list as well
					case p.Positional != nil && p.Positional.Name == v.Name:
						got = p.Positional.Target.String()
					}
				}
				if got != word {
					t.Errorf("%s %s is %q, want %q", line, as, got, word)
				}
				tried++
			}
		}
	}
	model := newParser(new(commandLine), nil).Model
	for _, command := range model.Leaves(false) {
		line := strings.Fields(command.Path())
		for _, p := range command.Positional {
			if p.Required {
				line = append(line, "x")
			}
		}
		for _, f := range command.Flags {
			if f.Tag.Get("words") != "" {
				try(line, f.Value)
			}
		}
		for _, p := range command.Positional {
			if p.Tag.Get("words") != "" {
				try(line, p)
			}
		}
	}
	for _, f := range model.Flags {
		if f.Tag.Get("words") != "" {
			try([]string{"doctor"}, f.Value)
		}
	}
	if tried < 40 {
		t.Errorf("only %d words were tried", tried)
	}
}
