package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"time"

	"github.com/air-executor/air-executor/api"
	"github.com/air-executor/air-executor/config"
	"github.com/air-executor/air-executor/queue"
)

// defaultListen is where serve listens if nothing else is said.
const defaultListen = "127.0.0.1:7711"

type serveCmd struct {
	Listen      string   `placeholder:"HOST:PORT" help:"Address to listen on (listen of the configuration, or 127.0.0.1:7711)."`
	Socket      string   `placeholder:"PATH" help:"Unix socket to listen on (api.sock in the base path)."`
	ReadOnly    bool     `help:"Refuse every change."`
	AllowedHost []string `sep:"none" placeholder:"HOST" help:"A name by which the server is asked for, beside localhost and its address. May be given several times."`
	TLSCert     string   `name:"tls-cert" placeholder:"FILE" help:"Certificate, for TLS."`
	TLSKey      string   `name:"tls-key" placeholder:"FILE" help:"Its key."`
	BehindProxy bool     `help:"A proxy before it speaks TLS with the clients."`
	Beside      bool     `hidden:"" help:"Started by the manager: print nothing."`
}

func (*serveCmd) configured() {}

// Help is printed below the summary.
func (*serveCmd) Help() string {
	return `Serves the HTTP API of the base path until it is interrupted: at a TCP address, and at a unix socket, api.sock in the base path. It prints the address of the page with a code that logs a browser in once, within ten minutes; air-executor open prints another.

The API is described by its document, /api/v1/openapi.json, and in docs/api.md. Requests need the token that the first start writes to api.token in the base path (Authorization: Bearer TOKEN), or to api.read.token, with which one can only read. The unix socket needs none, but only its owner can open it.

An address that is not a loopback one needs --tls-cert and --tls-key, or --behind-proxy.

With OTEL_EXPORTER_OTLP_ENDPOINT in its environment, it sends a span for each attempt to a collector of OpenTelemetry; see docs/traces.md.

It is a process of its own: tasks do not depend on it. With listen in the configuration, start starts one beside the manager, and stop stops it.

Exit codes: 0 it has served; 1 error; 2 wrong flags or configuration; 5 a server serves the base path already.`
}

// check refuses flags that contradict each other.
func (c *serveCmd) check(listen string) error {
	if err := config.CheckEndpoint(listen); err != nil {
		return usage(fmt.Errorf("--listen: %w", err), "")
	}
	if (c.TLSCert == "") != (c.TLSKey == "") {
		return usage(errors.New("--tls-cert and --tls-key belong together"), "")
	}
	if !api.Loopback(listen) && c.TLSCert == "" && !c.BehindProxy {
		return usage(fmt.Errorf("--listen: %s %w", listen, api.ErrOpenAddress), "give --tls-cert and --tls-key, or --behind-proxy if a proxy before it speaks TLS")
	}
	if c.Socket != "" && !api.SocketFits(c.Socket) {
		return usage(fmt.Errorf("--socket: %s is too long for the path of a socket", c.Socket), "")
	}
	return nil
}

// Run serves until ctx ends.
func (c *serveCmd) Run(ctx context.Context, ui *ui, ws *workspace) error {
	ui.hurried = true
	surviveClosedPipe()
	conf, err := ws.config()
	if err != nil {
		return err
	}
	listen := defaultListen
	if conf.Listen != "" {
		listen = conf.Listen
	}
	if c.Listen != "" {
		listen = c.Listen
	}
	if err := c.check(listen); err != nil {
		return err
	}
	spans, err := findCollector()
	if err != nil {
		return err
	}
	q, err := ws.openUpgraded(ctx, false)
	if err != nil {
		return err
	}
	defer q.Close()
	s, err := api.New(ctx, api.Options{
		Queue: q, Log: slog.New(slog.DiscardHandler), Version: programVersion(), Listen: listen, Socket: c.socket(ui, conf), ReadOnly: c.ReadOnly,
		AllowedHosts: c.AllowedHost, BehindProxy: c.BehindProxy, TLSCert: c.TLSCert, TLSKey: c.TLSKey,
	})
	if errors.Is(err, api.ErrServing) {
		return fail(exitManager, err, "air-executor open prints its address")
	}
	if err != nil {
		return err
	}
	defer s.Close()
	return c.run(ctx, ui, conf, s, spans.of(q.DB, s))
}

// run prints the address, and serves.
func (c *serveCmd) run(ctx context.Context, ui *ui, conf *config.Config, s *api.Server, spans *spanSource) error {
	out := newSink(ui.err)
	defer out.flush(time.Second)
	log := newLogger(out, conf.LogLevel, conf.LogFormat)
	s.Log(log)
	if !c.Beside {
		at, err := s.LoginAddress()
		if err == nil {
			err = printAddress(ui, at)
		}
		if err != nil {
			return err
		}
	}
	log.Info("server started", "address", s.Address())
	defer spans.export(ctx, log)()
	if err := s.Run(ctx); err != nil {
		log.Error("server failed", "error", err)
		return silent(exitError)
	}
	log.Info("server stopped")
	return nil
}

// socket returns the path of the unix socket, or "" if it would be too long.
func (c *serveCmd) socket(ui *ui, conf *config.Config) string {
	if c.Socket != "" {
		return c.Socket
	}
	path := filepath.Join(conf.BasePath, api.SocketName)
	if !api.SocketFits(path) {
		ui.notef("there will be no unix socket: %s is too long for one; --socket says where else", path)
		return ""
	}
	return path
}

func printAddress(ui *ui, at string) error {
	if ui.json() {
		return ui.printJSON(queue.AddressForm{URL: at})
	}
	ui.printf("%s\n", at)
	return ui.unprinted
}

type openCmd struct {
	Socket string `placeholder:"PATH" help:"Its unix socket (api.sock in the base path)."`
}

// Help is printed below the summary.
func (*openCmd) Help() string {
	return `Prints the address of the page of the server that runs, with a code that logs a browser in once, within ten minutes.

Exit codes: 0 done; 1 error; 2 wrong flags or configuration; 5 no server is running.`
}

// Run asks the server for a code.
func (c *openCmd) Run(ctx context.Context, ui *ui, ws *workspace) error {
	conf, err := ws.config()
	if err != nil {
		return err
	}
	pid, _, err := api.Serving(conf.BasePath)
	if err != nil {
		return err
	}
	if pid == 0 {
		return fail(exitManager, errors.New("no server is running"), "start one with air-executor serve")
	}
	socket := c.Socket
	if socket == "" {
		socket = filepath.Join(conf.BasePath, api.SocketName)
	}
	code, err := api.AskForCode(ctx, socket)
	if err != nil {
		return fmt.Errorf("ask the server (PID %d) at %s: %w", pid, socket, err)
	}
	if code.URL == nil {
		return errors.New("the server has no address for browsers")
	}
	return printAddress(ui, *code.URL)
}
