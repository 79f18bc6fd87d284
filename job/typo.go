package job

import (
	"fmt"
	"strings"
)

// checkTypo is an error when an unknown key of o looks like one of specKeys
// that o lacks: comment is not meant to be command where there is a command.
func checkTypo(key string, o *object) error {
	for _, known := range specKeys {
		if resembles(key, known) && !o.has(known) {
			return fmt.Errorf("unknown key, did you mean %q?", known)
		}
	}
	return nil
}

// resembles reports whether a key is a known one but for case and one or two
// typing errors. In short keys two are too many: tags is not args.
func resembles(key, known string) bool {
	const short = 6
	most := 2
	if len(known) <= short {
		most = 1
	}
	if len(key) < len(known)-most || len(key) > len(known)+most {
		return false
	}
	return distance(strings.ToLower(key), known) <= most
}

// distance is how many letters must be inserted, deleted, replaced or swapped
// with their neighbour to make b of a: the Levenshtein distance, in which a
// swap counts as one error. B must be shorter than maxKey.
func distance(a, b string) int {
	const maxKey = 24
	var before, above, row [maxKey]int // for a[:i-2], a[:i-1] and a[:i]
	for j := range len(b) + 1 {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		before, above = above, row
		row[0] = i
		for j := 1; j <= len(b); j++ {
			replaced := above[j-1]
			if a[i-1] != b[j-1] {
				replaced++
			}
			row[j] = min(replaced, above[j]+1, row[j-1]+1)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
	}
	return row[len(b)]
}
