//go:build !linux

package runner

import (
	"errors"
	"os"
)

// createQuick is not for this system: it returns an error.
func createQuick(_, _ string) (*os.File, error) { return nil, errors.ErrUnsupported }
