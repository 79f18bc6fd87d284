//go:build !linux

package runner

import (
	"errors"
	"os"
)

// memory returns an error: there is no file in memory.
func memory() (*os.File, error) { return nil, errors.ErrUnsupported }
