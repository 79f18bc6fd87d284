package api

import (
	"encoding/base64"
	"encoding/json"
)

// defaultLimit is how many items a page has.
const defaultLimit = 100

// place is what a cursor says. Clients must not look into it: it will change.
type place struct {
	Sort string `json:"s,omitempty"`
	Rank int64  `json:"r,omitempty"`
	Name string `json:"n,omitempty"`
	Key  int64  `json:"k,omitempty"`
	Back bool   `json:"b,omitempty"`
}

// cursor is the text of a place.
func (p place) cursor() *string {
	b, _ := json.Marshal(p) // it only has texts and numbers
	text := base64.RawURLEncoding.EncodeToString(b)
	return &text
}

// readCursor reads the text of a place in a list with this order.
func readCursor(text, sort string) (p place, err error) {
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err == nil {
		err = json.Unmarshal(b, &p)
	}
	if err != nil || p.Sort != sort || p.Name == "" && p.Key < 1 {
		return p, wrongParameter("cursor", "is not one of this list")
	}
	return p, nil
}

// orNull returns a text, or null for an empty one.
func orNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
