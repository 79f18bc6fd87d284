// Command spans reads a request of OTLP/HTTP, as JSON, from its standard input with the decoder of the
// OpenTelemetry collector, and writes it as that has understood it. A test of package traces
// compares the two. It is a module of its own, so that the program does not get its
// dependencies.
package main

import (
	"fmt"
	"io"
	"os"

	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run() error {
	b, err := io.ReadAll(os.Stdin)
	if err != nil {
		return err
	}
	r := ptraceotlp.NewExportRequest()
	if err := r.UnmarshalJSON(b); err != nil {
		return err
	}
	if b, err = r.MarshalJSON(); err != nil {
		return err
	}
	_, err = os.Stdout.Write(b)
	return err
}
