package job

import "strings"

// SplitLink takes a dependency apart that may be on a task of another job, JOB:ID. It
// is about one if no task of the own job has the whole text as its id.
func SplitLink(needs string) (name, id string, ok bool) {
	name, id, ok = strings.Cut(needs, ":")
	return name, id, ok && id != "" && CheckName(name) == nil
}
