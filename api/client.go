package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

// AskForCode asks the server of a base path, through its unix socket, for the address of
// the page with a new login code. If there is no socket at that path, nothing listens.
func AskForCode(ctx context.Context, socket string) (Code, error) {
	client := &http.Client{
		Timeout: 10 * time.Second,
		Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", socket)
		}},
	}
	defer client.CloseIdleConnections()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://localhost/api/v1/session/code", nil)
	if err != nil {
		return Code{}, err
	}
	answer, err := client.Do(r)
	if err != nil {
		return Code{}, errors.Unwrap(err)
	}
	defer answer.Body.Close()
	var code Code
	var p Problem
	const most = 1 << 20
	text, err := io.ReadAll(io.LimitReader(answer.Body, most))
	if err == nil && answer.StatusCode != http.StatusCreated {
		if json.Unmarshal(text, &p) != nil || p.Detail == "" {
			p.Detail = answer.Status
		}
		return code, fmt.Errorf("ask for a login code: %s", p.Detail)
	}
	if err == nil {
		err = json.Unmarshal(text, &code)
	}
	return code, err
}
