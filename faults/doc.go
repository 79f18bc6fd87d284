// Package faults proves what air-executor promises by breaking it. Its tests
// build the program with failpoints, drive it from outside in base paths of
// their own, and make it die, stop or run out of space at the worst moments.
// They are named after the faults. After each of them the same invariants are
// checked (invariants_test.go).
//
// The tests need Linux and the build tag failpoints; a few need root, and skip
// themselves without it:
//
//	go test -tags failpoints ./faults
package faults
