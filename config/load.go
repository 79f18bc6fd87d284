package config

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/air-executor/air-executor/internal/basepath"
	"github.com/air-executor/air-executor/internal/strictyaml"
	"github.com/air-executor/air-executor/internal/words"
)

// The sources of an Override, as messages call them.
const (
	FromFlag        = "flag"
	FromEnvironment = "environment"
)

// Override is a value that takes precedence over the configuration file.
type Override struct {
	Value  string
	Source string // FromFlag or FromEnvironment; empty: not given
}

// Overrides are the values from the command line and the environment.
type Overrides struct {
	// WorkDir is the directory that relative paths in overrides are relative to, and
	// where the search for a base path begins. It is absolute, or empty if it is not
	// known.
	WorkDir string
	// Home is where the search ends; see basepath.Find.
	Home string
	// AllowForeign accepts a base path of another user.
	AllowForeign bool

	ConfigPath Override
	BasePath   Override
	LogLevel   Override
	LogFormat  Override

	// Lenient is for commands that can work with an invalid configuration file: invalid
	// values are replaced by the defaults, and Config.Wrong says what was wrong. It is
	// still an error if the base path depends on the file.
	Lenient bool
}

// Load returns the configuration in force. The base path is the first of these: that of
// a flag; that in a configuration file named by a flag; that of the environment; that
// in a file named by the environment; the nearest DefaultBasePath in the working
// directory or above; a new one in the working directory. The configuration file is the
// one that the overrides name, or FileName in the base path if it exists. A file that
// contains only comments means the defaults. If another user owns the base path or a
// FileName in it, or may write to it, the error is of type [basepath.Untrusted].
func Load(o Overrides) (*Config, error) {
	given, err := o.read()
	if err != nil {
		return nil, err
	}
	f, err := o.namedFile()
	if err != nil {
		return nil, err
	}
	if f != nil && f.wrong != nil && (!o.Lenient || f.blind && !o.saysBasePath()) {
		return nil, f.wrong
	}
	base, passed, err := o.basePath(given, f)
	if err != nil {
		return nil, err
	}
	if !o.AllowForeign {
		if err := basepath.Check(base.text); err != nil {
			return nil, err
		}
	}
	named := f != nil
	if !named {
		if f, err = fileIn(base.text, o.AllowForeign); err != nil {
			return nil, err
		}
		if f != nil && f.wrong != nil && !o.Lenient {
			return nil, f.wrong
		}
	}
	given[basePathKey] = base
	c := assemble(given, f)
	c.Named, c.AllowForeign, c.Passed = named, o.AllowForeign, passed
	return c, nil
}

const basePathKey = "base_path"

// assemble takes each value from the overrides, or from the file, or from the defaults.
// f may be nil.
func assemble(overrides map[string]value, f *file) *Config {
	c := &Config{}
	if f != nil {
		c.File, c.Wrong = f.path, f.wrong
	}
	for _, k := range keys() {
		v, ok := overrides[k.name]
		if !ok && f != nil {
			v, ok = f.values[k.name]
		}
		if !ok {
			v = value{text: k.fallback, source: "default"}
		}
		k.kind.store(c, v.text)
		c.settings = append(c.settings, Setting{
			Key: k.name, Value: scalar(v.text), Default: scalar(k.fallback), Source: v.source,
		})
	}
	return c
}

// value is a valid value of a key.
type value struct {
	text   string // canonical
	source string // for people
	place  strictyaml.Value
}

// read checks the overrides, and returns those that are also keys of the file.
func (o *Overrides) read() (map[string]value, error) {
	all := map[string]Override{basePathKey: o.BasePath, "log_level": o.LogLevel, "log_format": o.LogFormat}
	given := make(map[string]value, len(all))
	for _, k := range keys() {
		override := all[k.name]
		if override.Source == "" {
			continue
		}
		name := override.name(k.name)
		place := strictyaml.Given(name, override.Value)
		text, err := k.kind.read(place)
		if err != nil {
			return nil, err
		}
		given[k.name] = value{text: text, source: override.Source + " " + name, place: place}
	}
	return given, nil
}

// name returns the flag or environment variable that sets a key.
func (o *Override) name(key string) string {
	if o.Source == FromEnvironment {
		return "AIR_EXECUTOR_" + strings.ToUpper(key)
	}
	return "--" + strings.ReplaceAll(key, "_", "-")
}

// namedFile reads the configuration file that the overrides name, or returns
// nil if they name none.
func (o *Overrides) namedFile() (*file, error) {
	if o.ConfigPath.Source == "" {
		return nil, nil
	}
	place := strictyaml.Given(o.ConfigPath.name("config"), o.ConfigPath.Value)
	path, err := place.FilePath()
	if err != nil {
		return nil, err
	}
	if path, err = o.absolute(path, place); err != nil {
		return nil, err
	}
	return readFile(path), nil
}

// saysBasePath reports whether the base path is known regardless of the configuration
// file. A file that a flag names may override a variable.
func (o *Overrides) saysBasePath() bool {
	return o.BasePath.Source == FromFlag || o.BasePath.Source != "" && o.ConfigPath.Source != FromFlag
}

// basePath returns the absolute base path in force, and those of other users that the
// search has skipped. f is the file that the overrides name, or nil.
func (o *Overrides) basePath(given map[string]value, f *file) (base value, passed []string, err error) {
	base, ok := given[basePathKey]
	// A flag takes precedence over a variable, even if it names a file.
	if f != nil && (!ok || o.BasePath.Source == FromEnvironment && o.ConfigPath.Source == FromFlag) {
		if v, in := f.values[basePathKey]; in {
			v.text = f.resolve(v.text)
			return v, nil, checkFolder(v)
		}
	}
	if !ok {
		place := strictyaml.Given(basePathKey, DefaultBasePath)
		base = value{text: DefaultBasePath, source: "default", place: place}
		if o.WorkDir == "" {
			return base, nil, place.Errorf("the current directory is gone; name a base path with --base-path DIR")
		}
		var found string
		if found, passed = basepath.Find(DefaultBasePath, o.WorkDir, o.Home, o.AllowForeign); found != "" {
			base.text, base.source = found, "found in "+filepath.Dir(found)
		}
	}
	if base.text, err = o.absolute(base.text, base.place); err != nil {
		return value{}, nil, err
	}
	return base, passed, checkFolder(base)
}

// absolute returns a path that is relative to the working directory.
func (o *Overrides) absolute(path string, place strictyaml.Value) (string, error) {
	if filepath.IsAbs(path) {
		return filepath.Clean(path), nil
	}
	if !filepath.IsAbs(o.WorkDir) {
		return "", place.Errorf("%s is relative, and the current directory is gone", words.Quote(path))
	}
	return filepath.Join(o.WorkDir, path), nil
}

// checkFolder returns an error if the base path exists but is not a folder.
func checkFolder(base value) error {
	info, err := os.Stat(base.text)
	if err == nil && !info.IsDir() {
		return base.place.Errorf("%s is not a folder", base.text)
	}
	return nil // if missing, it is created later, by the first command that writes to it
}

// file is a configuration file with its valid values.
type file struct {
	path   string // absolute
	values map[string]value
	wrong  error // the first mistake in it; nil: none
	blind  bool  // because of that, its base_path is unknown
}

// fileIn reads the configuration file in a base path. It returns nil if there is none,
// and an error if it says that it belongs to another base path. It does not block on
// anything that is not a regular file, such as a named pipe.
func fileIn(base string, allowForeign bool) (*file, error) {
	path := filepath.Join(base, FileName)
	if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	info, err := os.Stat(path)
	if err == nil && !info.Mode().IsRegular() && !info.IsDir() {
		wrong := &Error{File: path, Msg: "is " + basepath.Kind(info.Mode()) + ", not a file"}
		return &file{path: path, wrong: wrong, blind: true}, nil
	}
	if err == nil && !allowForeign {
		if err := basepath.CheckConfig(path, info); err != nil {
			return nil, err
		}
	}
	f := readFile(path)
	if v, ok := f.values[basePathKey]; ok {
		if other := f.resolve(v.text); !sameFolder(other, base) {
			return nil, v.place.Errorf("is %s, but this file is that of the base path %s; remove the line, or name the file with --config", other, base)
		}
	}
	return f, nil
}

// readFile reads a configuration file and checks every value in it.
func readFile(path string) *file {
	f := &file{path: path}
	data, err := strictyaml.ReadFile(path)
	if err != nil {
		f.wrong, f.blind = err, true
		return f
	}
	m, err := parse(path, data)
	if err != nil {
		f.wrong, f.blind = err, true
	} else if m != nil {
		f.set(m)
	}
	return f
}

// parse parses data, the content of a file; it returns nil if that contains only
// comments. An empty file is an error: a full disk or a power cut may have emptied it.
// A file that means the defaults has at least a comment.
func parse(path string, data []byte) (*strictyaml.Map, error) {
	if bytes.HasPrefix(data, []byte("\ufeff")) {
		return nil, &Error{File: path, Line: 1, Msg: "begins with a byte order mark; save it as UTF-8 without one"}
	}
	if len(bytes.TrimSpace(data)) == 0 {
		return nil, &Error{File: path, Msg: "is empty; remove it, or write a new one with air-executor config init"}
	}
	m, err := strictyaml.Parse(path, data)
	if err != nil && isTOML(path, data) {
		return nil, &Error{File: path, Msg: "is a TOML file; the configuration of air-executor is YAML (see air-executor config init)", Err: err}
	}
	return m, err
}

// isTOML reports whether a file that is not YAML looks like TOML, which other programs
// use for their settings: its first line is [section] or key = value.
func isTOML(path string, data []byte) bool {
	if strings.EqualFold(filepath.Ext(path), ".toml") {
		return true
	}
	for line := range strings.Lines(string(data)) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		key, _, assigned := strings.Cut(line, "=")
		return line[0] == '[' && strings.HasSuffix(line, "]") || assigned && !strings.ContainsAny(key, "{:'\"")
	}
	return false
}

// set takes the valid values of the file, and records the first mistake.
func (f *file) set(m *strictyaml.Map) {
	table := keys()
	known := make([]string, len(table))
	kinds := make(map[string]kind, len(table))
	for i, k := range table {
		known[i], kinds[k.name] = k.name, k.kind
	}
	var entries []strictyaml.Entry
	entries, f.wrong = flatten(m, known)
	f.values = make(map[string]value, len(entries))
	for _, e := range entries {
		kind := kinds[e.Key]
		if kind == nil {
			f.blind = f.blind || words.Nearest(e.Key, known) == basePathKey
			continue
		}
		text, err := kind.read(e.Value)
		if err != nil {
			f.blind = f.blind || e.Key == basePathKey
			if f.wrong == nil {
				f.wrong = err
			}
			continue
		}
		f.values[e.Key] = value{text: text, source: fmt.Sprintf("%s:%d", f.path, e.Line), place: e.Value}
	}
}

// resolve returns the folder that base_path in the file names. A relative path is
// relative to the folder of the file, unless it is the name of that folder, as seen
// from its parent.
func (f *file) resolve(path string) string {
	if filepath.IsAbs(path) {
		return filepath.Clean(path)
	}
	own := filepath.Dir(f.path)
	if filepath.Join(filepath.Dir(own), path) == own {
		return own
	}
	return filepath.Join(own, path)
}

// sameFolder reports whether two absolute paths name the same folder.
func sameFolder(a, b string) bool {
	if a == b {
		return true
	}
	infoA, errA := os.Stat(a)
	infoB, errB := os.Stat(b)
	return errA == nil && errB == nil && os.SameFile(infoA, infoB)
}
