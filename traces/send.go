package traces

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"
)

// How long to wait before the same request is sent again: it doubles from the first
// to the longest. What the collector asks for is kept up to maxAsked.
const (
	firstDelay   = time.Second
	longestDelay = time.Minute
	maxAsked     = time.Hour
)

// maxAnswer is how much of an answer is read.
const maxAnswer = 64 << 10

// sender sends requests to a collector.
type sender struct {
	config *Config
	log    *slog.Logger
	client *http.Client
	down   bool // the last request met no collector that takes spans

	pause func(ctx context.Context, d time.Duration) error
}

func newSender(c *Config, log *slog.Logger) *sender {
	return &sender{
		config: c, log: log, pause: sleep,
		client: &http.Client{
			Timeout: c.Timeout,
			// A redirect would take the headers, which may hold a token, elsewhere.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// deliver sends a request until the collector has taken or refused it. What it refuses
// is lost: it would refuse it again. The error is that of ctx.
func (s *sender) deliver(ctx context.Context, body []byte, spans int) error {
	for delay := firstDelay; ; delay = min(2*delay, longestDelay) {
		asked, err := s.post(ctx, body, spans)
		if err == nil {
			if s.down {
				s.log.Info("the collector takes spans again")
			}
			s.down = false
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if !s.down {
			s.log.Warn("the collector takes no spans; they are sent later", "error", err)
		}
		s.down = true
		// Servers that met the same fault do not come back at the same moment.
		wait := max(delay/2+rand.N(delay), min(asked, maxAsked))
		if err := s.pause(ctx, wait); err != nil {
			return err
		}
	}
}

// post sends a request once. An error says that it is to be sent again, after what the
// collector asks for, if it does.
func (s *sender) post(ctx context.Context, body []byte, spans int) (asked time.Duration, err error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.config.URL, bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	r.Header = s.config.Headers.Clone()
	r.Header.Set("Content-Type", "application/json")
	if s.config.Gzip {
		r.Header.Set("Content-Encoding", "gzip")
	}
	if r.Header.Get("User-Agent") == "" {
		r.Header.Set("User-Agent", "air-executor")
	}
	a, err := s.client.Do(r)
	if err != nil {
		return 0, err
	}
	defer a.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(a.Body, maxAnswer))
	switch a.StatusCode {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return retryAfter(a.Header.Get("Retry-After"), time.Now()), fmt.Errorf("it answers %s", a.Status)
	}
	if a.StatusCode/100 != 2 {
		s.log.Warn("spans are lost: the collector refuses them", "spans", spans, "answer", a.Status)
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	var said response
	if json.Unmarshal(answer, &said) == nil {
		if n, _ := said.PartialSuccess.Rejected.Int64(); n > 0 || said.PartialSuccess.Message != "" {
			s.log.Warn("the collector has a remark about spans", "rejected", n, "of", spans, "message", said.PartialSuccess.Message)
		}
	}
	return 0, nil
}

// retryAfter reads the header: seconds, or an instant.
func retryAfter(text string, now time.Time) time.Duration {
	if n, err := strconv.ParseInt(text, 10, 32); err == nil {
		return time.Duration(max(0, n)) * time.Second
	}
	if at, err := http.ParseTime(text); err == nil {
		return max(0, at.Sub(now))
	}
	return 0
}
