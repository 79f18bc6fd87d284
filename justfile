# `just` lists the recipes.

export CGO_ENABLED := env("CGO_ENABLED", "0")

_default:
    @just --list --unsorted

# Build the binary, one static file.
build:
    go build -trimpath -ldflags "-s -w" -o air-executor ./cmd/air-executor

# Run the tests.
test:
    go test ./...

# What CI runs, and a look for known vulnerabilities.
check: format vet staticcheck race
    go tool govulncheck ./...

# Fail if a file is not formatted.
format:
    test -z "$(gofmt -l .)" || { gofmt -d .; exit 1; }

# Look for mistakes that compile.
vet:
    go vet ./...
    GOOS=darwin go vet ./...

# Look for more of them.
staticcheck:
    go tool staticcheck ./...

# Run the tests with the race detector, which needs cgo.
race:
    CGO_ENABLED=1 go test -race ./...

# Break it on purpose, and see that what is promised holds.
gate:
    go vet -tags failpoints ./faults ./internal/failpoint
    go test -tags failpoints -count=1 ./faults
    go run ./faults/chaos -seed 1 -time 45s -round 15s

# Let the fuzzers look for input that breaks a parser, each for a while.
fuzz time="30s":
    #!/usr/bin/env bash
    set -euo pipefail
    for package in job jobfile config db cmd/air-executor; do
        for target in $(go test -list 'Fuzz.*' "./$package" | grep '^Fuzz'); do
            go test -run '^$' -fuzz "^$target\$" -fuzztime {{time}} -fuzzminimizetime 1x "./$package"
        done
    done

# Measure, side by side with what is installed of xargs, parallel, tsp, nq and pueue.
bench *args:
    go run ./bench {{args}}

# Break it at random for a while, with a seed, and print a report.
chaos time="20m" seed="1":
    go run ./faults/chaos -seed {{seed}} -time {{time}}
    go run ./faults/powercut -seed {{seed}}

# Break the protocol itself in a copy, and see that a test notices.
mutants:
    go run ./faults/mutants
