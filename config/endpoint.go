package config

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"github.com/air-executor/air-executor/internal/strictyaml"
	"github.com/air-executor/air-executor/internal/words"
)

// endpoint is an address of this machine and a port, or none.
type endpoint struct{ field func(*Config) *string }

func (k endpoint) read(v strictyaml.Value) (string, error) {
	text, err := v.Text()
	if err != nil {
		return "", err
	}
	if text != noFolder && CheckEndpoint(text) != nil {
		return "", v.Errorf("must be %s, not %s", k.allowed(), words.Quote(text))
	}
	return text, nil
}

func (k endpoint) store(c *Config, text string) {
	if text != noFolder {
		*k.field(c) = text
	}
}

func (endpoint) allowed() string { return "HOST:PORT, or none" }

// CheckEndpoint returns an error if the text is not an IP address or localhost, and a
// port. An IPv6 address is in brackets.
func CheckEndpoint(text string) error {
	i := strings.LastIndexByte(text, ':')
	if i < 0 {
		return fmt.Errorf("%s has no port; an example: 127.0.0.1:7711", words.Quote(text))
	}
	host, bare := text[:i], strings.Trim(text[:i], "[]")
	if _, err := strconv.ParseUint(text[i+1:], 10, 16); err != nil {
		return fmt.Errorf("%s has no port from 0 to 65535", words.Quote(text))
	}
	if ip, err := netip.ParseAddr(bare); host != "localhost" && (err != nil || ip.Is6() != strings.HasPrefix(host, "[")) {
		return fmt.Errorf("%s has no IP address before its port", words.Quote(text))
	}
	return nil
}
