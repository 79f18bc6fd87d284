//go:build !linux

package db

// syncWAL leaves SQLite as it is.
func syncWAL() {}
