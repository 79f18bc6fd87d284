package main

import (
	"bufio"
	"context"
	"errors"
	"os"
	"strings"
)

// asks is for commands that end or delete things.
type asks struct {
	Yes bool `short:"y" help:"Do not ask. Without a terminal nothing is asked either."`
}

// confirm asks a person whether more than one thing is to be ended or deleted, which
// the text says, with their number. Without a terminal it goes on, as scripts expect.
func (a *asks) confirm(ctx context.Context, ui *ui, n int, text string) error {
	if a.Yes || n < 2 || !isTerminal(os.Stdin) || !isTerminal(ui.err) {
		return nil
	}
	ui.remark([]byte("air-executor: " + oneLine(text) + ". Go on? [y/N] "))
	answer, err := interruptible(ctx, func() (string, error) { return bufio.NewReader(os.Stdin).ReadString('\n') })
	if ctx.Err() != nil {
		return err
	}
	switch strings.ToLower(strings.TrimSpace(answer)) {
	case "y", "yes":
		return nil
	}
	return fail(exitError, errors.New("nothing has changed"), "--yes goes on without a question")
}
