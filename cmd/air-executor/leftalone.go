package main

import (
	"fmt"
	"strings"
)

// leftAlone says which failed tasks were left alone, and how they would not have been.
func leftAlone(cancelled, dismissed int) string {
	var left []string
	if cancelled > 0 {
		left = append(left, fmt.Sprintf("%d cancelled (--cancelled resets them)", cancelled))
	}
	if dismissed > 0 {
		left = append(left, fmt.Sprintf("%d dismissed (--task ID resets one)", dismissed))
	}
	if len(left) == 0 {
		return ""
	}
	return "; left alone: " + strings.Join(left, ", ")
}
