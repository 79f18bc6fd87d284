package main

import (
	"fmt"
	"strings"

	"github.com/air-executor/air-executor/queue"
)

// leftAlone says which failed tasks were left alone, and how they would not have been.
func leftAlone(n queue.LeftAlone) string {
	var left []string
	if n.Cancelled > 0 {
		left = append(left, fmt.Sprintf("%d cancelled (--cancelled resets them)", n.Cancelled))
	}
	if n.Dismissed > 0 {
		left = append(left, fmt.Sprintf("%d dismissed (--task ID resets one)", n.Dismissed))
	}
	if len(left) == 0 {
		return ""
	}
	return "; left alone: " + strings.Join(left, ", ")
}
