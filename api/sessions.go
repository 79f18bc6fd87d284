package api

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// How long things are good for.
const (
	sessionLife = 30 * 24 * time.Hour
	codeLife    = 10 * time.Minute
)

// maxCodes is how many login codes there may be that were not used.
const maxCodes = 100

// maxFailures is how many wrong logins an address may send in a minute.
const maxFailures = 10

// sessions logs browsers in. A session is a signed cookie; nothing is kept of it. Its
// key comes from the token, so a new token ends all sessions.
type sessions struct {
	tokens *tokens
	clock  func() time.Time

	mu       sync.Mutex
	codes    map[[sha256.Size]byte]time.Time // until when each is good, by its digest
	failures map[string][]time.Time          // by address, those of the last minute
}

func newSessions(t *tokens, clock func() time.Time) *sessions {
	return &sessions{tokens: t, clock: clock, codes: map[[sha256.Size]byte]time.Time{}, failures: map[string][]time.Time{}}
}

// makeCode makes a login code.
func (s *sessions) makeCode() (code string, until time.Time, err error) {
	now := s.clock()
	s.mu.Lock()
	defer s.mu.Unlock()
	for c, end := range s.codes {
		if now.After(end) {
			delete(s.codes, c)
		}
	}
	if len(s.codes) >= maxCodes {
		return "", until, retry(tooOften.errorf("%d login codes wait for their use already", maxCodes), time.Minute)
	}
	code, until = secret(), now.Add(codeLife)
	s.codes[sha256.Sum256([]byte(code))] = until
	return code, until, nil
}

// useCode reports whether a login code is good, which it is not again.
func (s *sessions) useCode(code string) bool {
	digest := sha256.Sum256([]byte(code))
	s.mu.Lock()
	defer s.mu.Unlock()
	until, there := s.codes[digest]
	delete(s.codes, digest)
	return there && !s.clock().After(until)
}

// sign returns the value of the cookie of a session.
func (s *sessions) sign(r role) (string, time.Time, error) {
	until := s.clock().Add(sessionLife)
	text := string(r) + "." + strconv.FormatInt(until.Unix(), 10) + "." + secret()[:16]
	mac, err := s.mac(text)
	return text + "." + mac, until, err
}

// role returns what the bearer of a cookie may do.
func (s *sessions) role(cookie string) (role, error) {
	i := strings.LastIndexByte(cookie, '.')
	if i < 0 {
		return nobody, nil
	}
	mac, err := s.mac(cookie[:i])
	if err != nil || !hmac.Equal([]byte(mac), []byte(cookie[i+1:])) {
		return nobody, err
	}
	parts := strings.Split(cookie[:i], ".")
	until, err := strconv.ParseInt(parts[1], 10, 64)
	if err != nil || s.clock().After(time.Unix(until, 0)) {
		return nobody, nil
	}
	return role(parts[0]), nil
}

func (s *sessions) mac(text string) (string, error) {
	token, err := s.tokens.text(owner)
	if err != nil {
		return "", err
	}
	if strings.HasPrefix(text, string(reader)+".") { // ends with its own token, too
		more, err := s.tokens.text(reader)
		if err != nil {
			return "", err
		}
		token += more
	}
	m := hmac.New(sha256.New, []byte("session of "+token))
	m.Write([]byte(text))
	return base64.RawURLEncoding.EncodeToString(m.Sum(nil)), nil
}

// failed notes a wrong login of an address, and returns an error if there were too many
// in the last minute.
func (s *sessions) failed(r *http.Request) error {
	from, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		from = r.RemoteAddr
	}
	now := s.clock()
	s.mu.Lock()
	defer s.mu.Unlock()
	for a, times := range s.failures {
		if now.Sub(times[len(times)-1]) > time.Minute {
			delete(s.failures, a)
		}
	}
	recent := s.failures[from]
	for len(recent) > 0 && now.Sub(recent[0]) > time.Minute {
		recent = recent[1:]
	}
	if len(recent) >= maxFailures {
		return retry(tooOften.errorf("%d wrong logins from %s in a minute", maxFailures, from), recent[0].Add(time.Minute+time.Second).Sub(now))
	}
	s.failures[from] = append(recent, now)
	return nil
}
