package strictyaml

import (
	"strings"
	"unicode/utf8"
)

// Nearest returns the known word that was most probably meant by word, or "" if
// none is close. Case and the difference between - and _ do not count.
func Nearest(word string, known []string) string {
	best, bestDistance := "", -1
	for _, k := range known {
		limit := (max(utf8.RuneCountInString(word), utf8.RuneCountInString(k)) + 2) / 3
		if bestDistance >= 0 {
			limit = min(limit, bestDistance-1)
		}
		if d := distance(fold(word), fold(k), limit); d >= 0 && d < utf8.RuneCountInString(k) {
			best, bestDistance = k, d
		}
	}
	return best
}

// fold removes the differences between words that do not count.
func fold(word string) []rune {
	return []rune(strings.ReplaceAll(strings.ToLower(word), "-", "_"))
}

// distance returns the Levenshtein distance of a and b, or -1 if it is above
// limit.
func distance(a, b []rune, limit int) int {
	if max(len(a)-len(b), len(b)-len(a)) > limit {
		return -1
	}
	row := make([]int, len(b)+1) // distances of a[:i] to every b[:j]
	for j := range row {
		row[j] = j
	}
	for i := range a {
		diagonal := row[0]
		row[0] = i + 1
		for j := range b {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	if d := row[len(b)]; d <= limit {
		return d
	}
	return -1
}
