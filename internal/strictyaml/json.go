package strictyaml

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// alignJSON returns data unchanged unless it is JSON. In JSON it rewrites the few
// things inside strings that YAML reads differently: pairs of surrogate escapes, which
// YAML refuses, and Unicode line breaks, which it folds. Line numbers do not change.
func alignJSON(data []byte) []byte {
	if !bytes.HasPrefix(bytes.TrimLeft(data, " \t\r\n"), []byte("{")) || !json.Valid(data) {
		return data
	}
	out := make([]byte, 0, len(data)+64)
	for i := 0; i < len(data); {
		r, size := utf8.DecodeRune(data[i:])
		switch {
		case r == '\\':
			pair := surrogatePair(data[i:])
			if pair == utf8.RuneError {
				out, size = append(out, data[i:i+2]...), 2
			} else {
				out, size = utf8.AppendRune(out, pair), 12
			}
		case r == 0x85 || r == 0x2028 || r == 0x2029 || r == 0xFEFF:
			out = fmt.Appendf(out, `\u%04x`, r)
		default:
			out = append(out, data[i:i+size]...)
		}
		i += size
	}
	return out
}

// surrogatePair returns the character that the two escapes at the beginning of s
// encode, or utf8.RuneError if s does not begin with such a pair.
func surrogatePair(s []byte) rune {
	if len(s) < 12 || s[1] != 'u' || s[6] != '\\' || s[7] != 'u' {
		return utf8.RuneError
	}
	high, err1 := strconv.ParseUint(string(s[2:6]), 16, 16)
	low, err2 := strconv.ParseUint(string(s[8:12]), 16, 16)
	if err1 != nil || err2 != nil {
		return utf8.RuneError
	}
	return utf16.DecodeRune(rune(high), rune(low))
}
