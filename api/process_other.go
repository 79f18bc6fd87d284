//go:build !linux

package api

// memoryMetrics are what only Linux tells.
func memoryMetrics(*exposition) {}
