package main

import (
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
	"github.com/google/go-cmp/cmp"
)

// parse reads a command line with the parser.
func parse(args []string) (*plainLine, error) {
	var cli commandLine
	p, err := kong.New(&cli, kong.Name("air-executor"), kong.Writers(io.Discard, io.Discard), kong.Exit(func(int) {}), kong.Bind(&app{}))
	if err != nil {
		return nil, err
	}
	c, err := p.Parse(args)
	if err == nil {
		err = refuseEmpty(c)
	}
	return &plainLine{globals: cli.globals, enqueue: cli.Enqueue, named: true}, err
}

// samePlain fails if a plain command line means another thing to the parser.
func samePlain(t *testing.T, args []string) (plain bool) {
	t.Helper()
	got := readPlain(args)
	if got == nil {
		return false
	}
	want, err := parse(args)
	if err != nil {
		t.Errorf("%q: the parser says %v", args, err)
	} else if diff := cmp.Diff(want, got, cmp.AllowUnexported(plainLine{}), cmp.AllowUnexported(commandLine{}), cmp.AllowUnexported(enqueueCmd{}, runCmd{})); diff != "" {
		t.Errorf("%q: (-parser +plain)\n%s", args, diff)
	}
	return true
}

func TestAPlainCommandLineMeansWhatTheParserSays(t *testing.T) {
	for line, plain := range map[string]bool{
		"enqueue -- true":                                                       true,
		"enqueue --job a -- make -k all":                                        true,
		"enqueue -j a -q -a 1 -a 2 -e A=B --env=C=D=E -- x":                     true,
		"--base-path /x --json enqueue --id 1 --priority 3 --timeout 5m -- x":   true,
		"enqueue --base-path=/x --config c --log-level INFO -- x -- --job b":    true,
		"enqueue --priority=-1 --timeout=none -w /tmp --no-env --if-absent -- ": true,
		"enqueue --priority=-1 --timeout none -w /tmp --no-env -- x":            true,
		"enqueue --allow-missing --allow-foreign-base-path -o 2 -- x":           true,
		"enqueue --job enqueue -- enqueue":                                      true,
		"enqueue true":                                                          false,
		"enqueue true -- x":                                                     false,
		"enqueue --job a --job b -- x":                                          false,
		"enqueue --job= -- x":                                                   false,
		"enqueue --job -- x":                                                    false,
		"enqueue --job --quiet -- x":                                            false,
		"enqueue -qja -- x":                                                     false,
		"enqueue -j=a -- x":                                                     false,
		"enqueue --quiet=true -- x":                                             false,
		"enqueue --priority x -- x":                                             false,
		"enqueue --timeout 0 -- x":                                              false,
		"enqueue --from-file f -- x":                                            false,
		"enqueue --help -- x":                                                   false,
		"enqueue --version -- x":                                                false,
		"enqueue enqueue -- x":                                                  false,
		"--job a enqueue -- x":                                                  false,
		"--quiet enqueue -- x":                                                  false,
		"enqueue --":                                                            false,
		"-- enqueue":                                                            false,
		"run -- x":                                                              false,
		"status --job a":                                                        false,
	} {
		args := strings.Split(line, " ")
		if got := samePlain(t, args); got != plain {
			t.Errorf("%q: plain is %t", line, got)
		}
	}
}

// Every flag that the parser knows is tried: a new one may not be taken for
// another.
func TestEveryFlagMeansTheSameToBoth(t *testing.T) {
	var cli commandLine
	p := kong.Must(&cli, kong.Bind(&app{}))
	var flags []*kong.Flag
	for _, n := range append([]*kong.Node{p.Model.Node}, p.Model.Children...) {
		flags = append(flags, n.Flags...)
	}
	for _, f := range flags {
		names := []string{"--" + f.Name}
		if f.Short != 0 {
			names = append(names, "-"+string(f.Short))
		}
		for _, name := range names {
			for _, value := range []string{"5", "A=B", "-1", "none", "x y", "enqueue"} {
				for _, flag := range [][]string{{name}, {name, value}, {name + "=" + value}} {
					samePlain(t, slices.Concat([]string{"enqueue"}, flag, []string{"--", "x"}))
					samePlain(t, slices.Concat(flag, []string{"enqueue", "--", "x"}))
					samePlain(t, slices.Concat([]string{"enqueue"}, flag, flag, []string{"--", "x"}))
				}
			}
		}
	}
}

func FuzzPlain(f *testing.F) {
	f.Add("enqueue --job a -- x")
	f.Add("--base-path /x enqueue -q -a 1 --timeout none -- x y")
	f.Fuzz(func(t *testing.T, line string) { samePlain(t, strings.Split(line, " ")) })
}
