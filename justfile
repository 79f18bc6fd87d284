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

# What CI runs. It takes about ten minutes on two cores.
ci: format vet staticcheck generated build test unprivileged race gate (release "--snapshot")

# What is quick of that, and a look for known vulnerabilities.
check: format vet staticcheck race
    go tool -modfile=tools/go.mod govulncheck ./...

# Fail if a file is not formatted.
format:
    test -z "$(gofmt -l .)" || { gofmt -d .; exit 1; }

# Look for mistakes that compile.
vet:
    go vet ./...
    GOOS=darwin go vet ./...

# Look for more of them.
staticcheck:
    go tool -modfile=tools/go.mod staticcheck ./...

# Write what is generated from the document of the HTTP API anew.
generate:
    go generate ./api

# Fail if that differs from what is checked in.
generated: generate
    git diff --exit-code -- api

# Run what root cannot test as somebody else, if we are root.
unprivileged:
    #!/usr/bin/env bash
    set -euo pipefail
    [ "$(id -u)" = 0 ] || exit 0
    dir=$(mktemp -d)
    trap 'rm -r "$dir"' EXIT
    chmod 755 "$dir"
    for package in db internal/basepath internal/strictyaml; do
        go test -c -o "$dir/test" "./$package"
        (cd "$dir" && setpriv --reuid 65534 --regid 65534 --clear-groups \
            ./test -test.v -test.run 'WithoutPermission|ReadOnlyFile')
    done

# Run the tests with the race detector, which needs cgo.
race:
    CGO_ENABLED=1 go test -race -timeout 25m ./...

# Write docs/commands.md and the transcripts in the docs anew.
docs:
    go test ./cmd/air-executor -count=1 -run 'TestReference|TestTranscripts' -update-docs

# Break it on purpose, and see that what is promised holds.
gate:
    go vet -tags failpoints ./faults ./internal/failpoint
    go test -tags failpoints -count=1 ./faults
    go run ./faults/chaos -seed 1 -time 45s -round 15s

# Let the fuzzers look for input that breaks a parser, each for a while.
fuzz time="30s":
    #!/usr/bin/env bash
    set -euo pipefail
    for package in job taskfile config db cmd/air-executor; do
        for target in $(go test -list 'Fuzz.*' "./$package" | grep '^Fuzz'); do
            go test -run '^$' -fuzz "^$target\$" -fuzztime {{ time }} -fuzzminimizetime 1x "./$package"
        done
    done

# Measure, side by side with what is installed of xargs, parallel, tsp, nq and pueue.
bench *args:
    go run ./bench {{ args }}

# Break it at random for a while, with a seed, and print a report.
chaos time="20m" seed="1":
    go run ./faults/chaos -seed {{ seed }} -time {{ time }}
    go run ./faults/powercut -seed {{ seed }}

# Break the protocol itself in a copy, and see that a test notices.
mutants:
    go run ./faults/mutants

# Make the archives and packages of a tag and upload them; --snapshot: all but the upload.
release *args:
    packaging/check
    go run github.com/goreleaser/goreleaser/v2@v2.16.0 release --clean {{ args }}
    packaging/try
