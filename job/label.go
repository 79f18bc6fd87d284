package job

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/air-executor/air-executor/internal/words"
)

// The limits of labels.
const (
	MaxLabelKey   = 100 // characters
	MaxLabelValue = 255 // bytes
)

// CheckLabelKey returns an error that says what is wrong with the key of a label, or
// nil. It is 1 to 100 letters and digits, '-', '_', '.' and '/'.
func CheckLabelKey(key string) error {
	if key == "" {
		return fmt.Errorf("the key of a label is empty")
	}
	if n := utf8.RuneCountInString(key); n > MaxLabelKey {
		return fmt.Errorf("label %q… has a key of %d characters, at most %d are allowed", words.Clip(key), n, MaxLabelKey)
	}
	for _, r := range key {
		if !unicode.IsLetter(r) && !unicode.IsNumber(r) && !strings.ContainsRune("-_./", r) {
			return fmt.Errorf("label %q contains %q: only letters, digits, -, _, . and / are allowed in a key", key, r)
		}
	}
	return nil
}

// CheckLabelValue returns an error that says what is wrong with the value of a label,
// or nil. It is printable text up to 255 bytes, and may be empty.
func CheckLabelValue(value string) error {
	if !utf8.ValidString(value) {
		return fmt.Errorf("the value of a label is not valid UTF-8")
	}
	if len(value) > MaxLabelValue {
		return fmt.Errorf("the value of a label has %d bytes, at most %d are allowed", len(value), MaxLabelValue)
	}
	for _, r := range value {
		if !unicode.IsPrint(r) {
			return fmt.Errorf("the value %q of a label contains the unprintable character %U", value, r)
		}
	}
	return nil
}

// ParseLabels checks "KEY=VALUE" pairs and returns them sorted by key. A key may be
// given once.
func ParseLabels(pairs []string) ([]string, error) {
	seen := map[string]bool{}
	for _, pair := range pairs {
		key, value, ok := strings.Cut(pair, "=")
		if !ok {
			return nil, fmt.Errorf("%s is not KEY=VALUE, as in team=search", words.Quote(pair))
		}
		if err := CheckLabelKey(key); err != nil {
			return nil, err
		}
		if err := CheckLabelValue(value); err != nil {
			return nil, err
		}
		if seen[key] {
			return nil, fmt.Errorf("label %s is given twice", words.Quote(key))
		}
		seen[key] = true
	}
	return SortLabels(pairs), nil
}

// SortLabels returns labels in the order of their keys.
func SortLabels(pairs []string) []string {
	sorted := slices.Clone(pairs)
	slices.SortFunc(sorted, func(a, b string) int {
		x, _, _ := strings.Cut(a, "=")
		y, _, _ := strings.Cut(b, "=")
		return strings.Compare(x, y)
	})
	return sorted
}
