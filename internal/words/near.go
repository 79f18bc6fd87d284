package words

import (
	"strings"
	"unicode/utf8"
)

// Nearest returns the known word that word was probably meant to be, or "" if none is
// close. Case and the difference between - and _ do not count.
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

// Mistyped reports whether word is known, except for case and one or two typing errors.
// For short words two are too many: tags is not args. It is for words that may also be
// correct as they are, so it is stricter than Nearest.
func Mistyped(word, known string) bool {
	const short = 6
	most := 2
	if len(known) <= short {
		most = 1
	}
	if len(word) < len(known)-most || len(word) > len(known)+most {
		return false
	}
	return distance([]rune(strings.ToLower(word)), []rune(known), most) >= 0
}

// fold removes the differences between words that are ignored.
func fold(word string) []rune {
	return []rune(strings.ReplaceAll(strings.ToLower(word), "-", "_"))
}

// distance returns how many letters must be inserted, deleted, replaced or swapped with
// their neighbour to turn a into b: the Levenshtein distance, except that a swap counts
// as one error. It returns -1 if that is above limit.
func distance(a, b []rune, limit int) int {
	if max(len(a)-len(b), len(b)-len(a)) > limit {
		return -1
	}
	rows := make([]int, 3*(len(b)+1)) // for a[:i-2], a[:i-1] and a[:i]
	before, above, row := rows[:len(b)+1], rows[len(b)+1:2*(len(b)+1)], rows[2*(len(b)+1):]
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		before, above, row = above, row, before
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
	if d := row[len(b)]; d <= limit {
		return d
	}
	return -1
}
