package api

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"unicode"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/internal/plainjson"
)

// keyHeader makes a request that adds something safe to repeat.
const keyHeader = "Idempotency-Key"

// maxKey is how many characters the key may have.
const maxKey = 200

// add does what a request asks for, which adds something, and answers with the form of
// what was added. If the request has a key, it is done once, and the answer is stored
// with it. The sum is that of the body.
func (c *call) add(sum []byte, form func(added any) any, do func(context.Context) error) (answer, error) {
	var text []byte
	write := func(added any) ([]byte, error) {
		var err error
		text, err = plainjson.Marshal(form(added), "", "  ")
		text = append(text, '\n')
		return text, err
	}
	o := db.Once{Answer: write}
	if keys := c.Header.Values(keyHeader); len(keys) > 0 {
		if err := checkKey(keys); err != nil {
			return answer{}, err
		}
		o.Key, o.Digest = keys[0], c.digest(sum)
	}
	err := do(db.WithOnce(c.Context(), o))
	if was := (*db.Answered)(nil); errors.As(err, &was) {
		c.w.Header().Set("Idempotent-Replayed", "true")
		return answer{status: http.StatusCreated, text: was.Body}, nil
	}
	return answer{status: http.StatusCreated, text: text}, err
}

// checkKey refuses what is no key.
func checkKey(keys []string) error {
	wrong := ""
	switch key := keys[0]; {
	case len(keys) > 1:
		wrong = "is given more than once"
	case key == "":
		wrong = "is empty"
	case len(key) > maxKey:
		wrong = "is longer than 200 characters"
	default:
		for _, r := range key {
			if r > unicode.MaxASCII || !unicode.IsPrint(r) {
				wrong = "has other than printable ASCII characters"
			}
		}
	}
	if wrong == "" {
		return nil
	}
	return wrongParameter(keyHeader, wrong)
}

// digest is of what the request asks for.
func (c *call) digest(sum []byte) string {
	h := sha256.New()
	for _, part := range []string{c.Method, c.URL.EscapedPath(), c.URL.RawQuery} {
		h.Write([]byte(part))
		h.Write([]byte{0})
	}
	h.Write(sum)
	return hex.EncodeToString(h.Sum(nil))
}

// sumOf is the sum of a body.
func sumOf(text []byte) []byte {
	sum := sha256.Sum256(text)
	return sum[:]
}
