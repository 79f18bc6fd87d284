//go:build !linux

package runner

import (
	"errors"
	"os"
)

// createQuick is not available on this system: it returns an error.
func createQuick(_, _ string) (*os.File, error) { return nil, errors.ErrUnsupported }
