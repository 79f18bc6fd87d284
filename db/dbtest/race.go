//go:build race

package dbtest

// race tells whether the race detector is on, with which everything takes ten times as long.
const race = true
