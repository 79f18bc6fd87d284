package config

import (
	"bytes"
	"fmt"
	"strings"
)

// Template returns a config.yaml for users to edit: every key with its meaning, range
// and default, commented out. Lines that begin with "#" and a letter become settings
// when the "#" is removed.
func Template() []byte {
	var b bytes.Buffer
	b.WriteString("# Configuration of air-executor. Every key is optional, and has the value shown\n" +
		"# unless it is set here: remove the # in front of a key and change its value.\n" +
		"# Then look at what is in force with: air-executor config show\n")
	for _, k := range keys() {
		b.WriteString("\n")
		for line := range strings.SplitSeq(k.help, "\n") {
			fmt.Fprintf(&b, "# %s\n", line)
		}
		fmt.Fprintf(&b, "# (%s)\n#%s: %s\n", k.kind.allowed(), k.name, scalar(k.fallback))
	}
	return b.Bytes()
}
