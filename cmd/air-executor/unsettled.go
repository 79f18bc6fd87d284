package main

import (
	"strconv"
	"strings"

	"github.com/air-executor/air-executor/manager"
	"github.com/air-executor/air-executor/runner/process"
)

// unsettledHint says what to do about a task whose runner has died, and whose remaining
// processes cannot be ended from here.
func unsettledHint(err error) string {
	if left := process.Survivors(err); len(left) > 0 {
		return endThem(left)
	}
	return manager.SettleHint
}

// endThem says what to do about processes that could not be ended.
func endThem(left []process.Survivor) string {
	var refused []string
	for _, s := range left {
		if s.Refused {
			refused = append(refused, strconv.Itoa(s.PID))
		}
	}
	if len(refused) == 0 {
		return "it hangs in the kernel; the task stays running until that ends"
	}
	return "the task stays running until that ends; as its owner or root: kill -9 " + strings.Join(refused, " ")
}
