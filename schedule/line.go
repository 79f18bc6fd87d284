package schedule

import (
	"fmt"
	"math/bits"
	"strconv"
	"strings"
	"time"
)

// Line is a cron line that was read.
type Line struct {
	Reboot bool          // @reboot: it fires when the machine has started
	Every  time.Duration // @every: 0: the sets below say when

	second, minute, hour, day, month, weekday set
	anyDay, anyWeekday                        bool // the field begins with *
}

// set is the values that a field allows, one bit each.
type set uint64

func (s set) has(n int) bool { return s&(1<<n) != 0 }

// from is the least value that is not below n; -1: none.
func (s set) from(n int) int {
	if rest := s >> n << n; rest != 0 {
		return bits.TrailingZeros64(uint64(rest))
	}
	return -1
}

// field is one field of a cron line.
type field struct {
	name      string
	low, high int
	words     string // names of the values from low on, three letters each
}

func fields() [6]field {
	return [...]field{
		{"second", 0, 59, ""},
		{"minute", 0, 59, ""},
		{"hour", 0, 23, ""},
		{"day of the month", 1, 31, ""},
		{"month", 1, 12, "janfebmaraprmayjunjulaugsepoctnovdec"},
		{"day of the week", 0, 7, "sunmontuewedthufrisat"},
	}
}

// Example is a cron line that is right.
const Example = "15 3 * * 1-5"

// SyntaxError says what is wrong with a cron line.
type SyntaxError struct {
	Line   string
	Column int // of the mistake, in characters from 1; 0: the whole line
	Msg    string
}

// Error is one line, with an example of what is right.
func (e *SyntaxError) Error() string {
	at := ""
	if e.Column > 0 {
		at = fmt.Sprintf(", column %d", e.Column)
	}
	return fmt.Sprintf("cron line %q%s: %s; want one such as '%s' or @daily", e.Line, at, e.Msg, Example)
}

// Parse reads a cron line: five fields (minute, hour, day of the month, month, day of
// the week), six with seconds in front, or one of @every D, @hourly, @daily, @midnight,
// @weekly, @monthly, @yearly, @annually and @reboot. Errors are of type *SyntaxError.
func Parse(text string) (*Line, error) {
	line := strings.TrimSpace(text)
	if strings.HasPrefix(line, "@") {
		return parseWord(line)
	}
	parts := splitFields(line)
	switch len(parts) {
	case 5:
		parts = append([]part{{"0", 0}}, parts...)
	case 6:
	default:
		return nil, &SyntaxError{line, 0, fmt.Sprintf("it has %d fields, not 5, or 6 with seconds", len(parts))}
	}
	l := &Line{anyDay: parts[3].text[0] == '*', anyWeekday: parts[5].text[0] == '*'}
	for i, to := range []*set{&l.second, &l.minute, &l.hour, &l.day, &l.month, &l.weekday} {
		var err error
		if *to, err = fields()[i].parse(line, parts[i]); err != nil {
			return nil, err
		}
	}
	if l.weekday.has(7) { // Sunday, too
		l.weekday |= 1
	}
	if !l.comes() {
		return nil, &SyntaxError{line, parts[3].column, "there is no such day in any of these months"}
	}
	return l, nil
}

// parseWord reads a line that begins with @.
func parseWord(line string) (*Line, error) {
	word, rest, _ := strings.Cut(line, " ")
	same := ""
	switch strings.ToLower(word) {
	case "@reboot":
		if rest == "" {
			return &Line{Reboot: true}, nil
		}
	case "@every":
		return parseEvery(line, strings.TrimSpace(rest))
	case "@hourly":
		same = "0 * * * *"
	case "@daily", "@midnight":
		same = "0 0 * * *"
	case "@weekly":
		same = "0 0 * * 0"
	case "@monthly":
		same = "0 0 1 * *"
	case "@yearly", "@annually":
		same = "0 0 1 1 *"
	default:
		return nil, &SyntaxError{line, 1, "unknown word " + strconv.Quote(word) + ", there are @every 10m, @hourly, @daily, @weekly, @monthly, @yearly and @reboot"}
	}
	if rest != "" {
		return nil, &SyntaxError{line, len(word) + 2, "nothing may follow " + word}
	}
	return Parse(same)
}

func parseEvery(line, text string) (*Line, error) {
	at := len(line) - len(text) + 1
	d, err := time.ParseDuration(text)
	if err != nil {
		return nil, &SyntaxError{line, at, fmt.Sprintf("%q is no duration such as 10m or 1h30m", text)}
	}
	if d < time.Second || d%time.Second != 0 || d > 10*365*24*time.Hour {
		return nil, &SyntaxError{line, at, "want whole seconds, from 1s to ten years"}
	}
	return &Line{Every: d}, nil
}

// part is a piece of a line, and where it begins.
type part struct {
	text   string
	column int
}

func splitFields(line string) (parts []part) {
	column := 0
	begin, beginColumn := -1, 0
	for i, r := range line + " " {
		column++
		blank := r == ' ' || r == '\t'
		if blank && begin >= 0 {
			parts = append(parts, part{line[begin:i], beginColumn})
			begin = -1
		} else if !blank && begin < 0 {
			begin, beginColumn = i, column
		}
	}
	return parts
}

// parse reads a field: items with commas between them.
func (f field) parse(line string, p part) (s set, err error) {
	column := p.column
	for item := range strings.SplitSeq(p.text, ",") {
		one, msg := f.item(item)
		if msg != "" {
			return 0, &SyntaxError{line, column, f.name + " " + msg}
		}
		s |= one
		column += len([]rune(item)) + 1
	}
	return s, nil
}

// item reads *, a value or a range, perhaps with a step. The message says what is
// wrong.
func (f field) item(item string) (s set, msg string) {
	span, step, stepped := strings.Cut(item, "/")
	by := 1
	if stepped {
		n, err := strconv.Atoi(step)
		if err != nil || n < 1 || n > f.high {
			return 0, fmt.Sprintf("%q: the step is not 1 to %d", item, f.high)
		}
		by = n
	}
	low, high := f.low, f.high
	if f.words != "" && f.low == 0 {
		high = 6 // 0 is Sunday already
	}
	if span != "*" {
		first, last, ranged := strings.Cut(span, "-")
		if low, msg = f.value(first); msg != "" {
			return 0, msg
		}
		if ranged {
			if high, msg = f.value(last); msg != "" {
				return 0, msg
			}
		} else if !stepped {
			high = low
		}
		if low > high {
			return 0, fmt.Sprintf("%q goes backwards", item)
		}
	}
	for n := low; n <= high; n += by {
		s |= 1 << n
	}
	return s, ""
}

func (f field) value(text string) (n int, msg string) {
	if len(text) == 3 && f.words != "" {
		if i := strings.Index(f.words, strings.ToLower(text)); i >= 0 && i%3 == 0 {
			return f.low + i/3, ""
		}
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < f.low || n > f.high || text[0] == '+' {
		return 0, fmt.Sprintf("%q is not %d to %d", text, f.low, f.high)
	}
	return n, ""
}

// comes reports whether there is a day in the calendar on which the line fires.
func (l *Line) comes() bool {
	if !l.anyDay && !l.anyWeekday {
		return true // some weekday
	}
	days := [...]int{31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31}
	for i, n := range days {
		if first := l.day.from(1); l.month.has(i+1) && first > 0 && first <= n {
			return true
		}
	}
	return false
}
