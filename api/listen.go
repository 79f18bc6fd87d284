package api

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/air-executor/air-executor/internal/basepath"
	"github.com/air-executor/air-executor/lock"
)

// The files of a server in the base path.
const (
	LockName   = "serve.lock" // held by the one server of a base path, with its address
	SocketName = "api.sock"
)

// maxSocketPath is the longest path of a unix socket, in bytes.
const maxSocketPath = 103

// SocketFits reports whether a unix socket can have this path.
func SocketFits(path string) bool { return len(path) <= maxSocketPath }

// ErrServing is returned if another server serves the base path.
var ErrServing = errors.New("a server serves this base path already")

// ErrOpenAddress is returned for an address that others reach, without TLS.
var ErrOpenAddress = errors.New("is not a loopback address, so that others could read what is sent")

// Server serves one base path.
type Server struct {
	api    *API
	lock   *lock.File
	http   []*http.Server
	listen []net.Listener
	socket os.FileInfo // of the unix socket; nil: none
}

// New takes the base path, and listens. Nobody is answered before Run. Errors: ErrServing,
// ErrOpenAddress, and errors of the system that name the address.
func New(ctx context.Context, o Options) (*Server, error) {
	if o.Listen != "" && !Loopback(o.Listen) && o.TLSCert == "" && !o.BehindProxy {
		return nil, fmt.Errorf("%s %w", o.Listen, ErrOpenAddress)
	}
	s := &Server{}
	if err := s.begin(ctx, o); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

func (s *Server) begin(ctx context.Context, o Options) (err error) {
	if s.lock, err = takeLock(o.Queue.BasePath()); err != nil {
		return err
	}
	if s.api, err = newAPI(ctx, o); err != nil {
		return err
	}
	if err := s.listenTCP(); err != nil {
		return err
	}
	if err := s.listenUnix(); err != nil {
		return err
	}
	return s.lock.Note(fmt.Sprintf("%d\n%s", os.Getpid(), s.Address()))
}

func takeLock(base string) (*lock.File, error) {
	l, err := lock.Open(filepath.Join(base, LockName))
	if err != nil {
		return nil, err
	}
	if err = l.TryLock(); errors.Is(err, lock.ErrHeld) {
		err = ErrServing
		if pid := l.Holder(); pid > 0 {
			err = fmt.Errorf("%w (PID %d)", err, pid)
		}
	}
	if err != nil {
		l.Close()
		return nil, err
	}
	return l, nil
}

func (s *Server) listenTCP() error {
	o := s.api.options
	if o.Listen == "" {
		return nil
	}
	l, err := net.Listen("tcp", o.Listen)
	if err != nil {
		return fmt.Errorf("listen on %s: %w", o.Listen, cause(err))
	}
	s.listen = append(s.listen, l)
	_, port, _ := net.SplitHostPort(l.Addr().String())
	host, _, _ := net.SplitHostPort(o.Listen)
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}
	s.api.address = net.JoinHostPort(host, port)
	server := s.server(s.api.handler(false))
	if o.TLSCert != "" {
		pair, err := tls.LoadX509KeyPair(o.TLSCert, o.TLSKey)
		if err != nil {
			return fmt.Errorf("certificate %s with key %s: %w", o.TLSCert, o.TLSKey, err)
		}
		server.TLSConfig = &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}
	}
	s.http = append(s.http, server)
	return nil
}

// cause is what the system says, without what it was asked to do.
func cause(err error) error {
	var op *net.OpError
	if errors.As(err, &op) {
		return op.Err
	}
	return err
}

// listenUnix makes the socket. One of a server that was killed is in the way; as this
// one has the lock, it belongs to nobody.
func (s *Server) listenUnix() error {
	path := s.api.options.Socket
	if path == "" {
		return nil
	}
	if there, err := os.Lstat(path); err == nil {
		if there.Mode()&fs.ModeSocket == 0 {
			return fmt.Errorf("%s is %s, and no socket: move it away", path, basepath.Kind(there.Mode()))
		}
		if err := os.Remove(path); err != nil {
			return err
		}
	}
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		return fmt.Errorf("listen on %s: %w", path, cause(err))
	}
	l.SetUnlinkOnClose(false) // by then, another's may be there
	s.listen = append(s.listen, l)
	if err := os.Chmod(path, 0o600); err != nil {
		return err
	}
	if s.socket, err = os.Lstat(path); err != nil {
		return err
	}
	s.http = append(s.http, s.server(s.api.handler(true)))
	return nil
}

func (s *Server) server(h http.Handler) *http.Server {
	return &http.Server{
		Handler: h, ReadHeaderTimeout: headerLimit, IdleTimeout: idleLimit, MaxHeaderBytes: maxHeader,
		ErrorLog: log.New(io.Discard, "", 0), // it is about clients that send nonsense
	}
}

// Log sets where what happens is written, before Run.
func (s *Server) Log(l *slog.Logger) { s.api.log = l }

// Address is the address of the page; empty without a TCP address.
func (s *Server) Address() string {
	if s.api.address == "" {
		return ""
	}
	return s.api.scheme() + "://" + s.api.address
}

// LoginAddress is the address of the page with a new login code.
func (s *Server) LoginAddress() (string, error) {
	code, _, err := s.api.sessions.makeCode()
	return s.Address() + "/#login=" + code, err
}

// Run answers requests until ctx ends, and then ends what is going on. It returns an
// error if the base path was removed or replaced, or if it cannot listen any more.
func (s *Server) Run(ctx context.Context) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var all sync.WaitGroup
	for i, h := range s.http {
		h.BaseContext = func(net.Listener) context.Context { return ctx }
		all.Go(func() {
			var err error
			if h.TLSConfig != nil {
				err = h.ServeTLS(s.listen[i], "", "")
			} else {
				err = h.Serve(s.listen[i])
			}
			if !errors.Is(err, http.ErrServerClosed) {
				stop(fmt.Errorf("listen: %w", cause(err)))
			}
		})
	}
	all.Go(func() { s.api.count(ctx) })
	s.watch(ctx, stop)
	s.end()
	all.Wait()
	if err := context.Cause(ctx); !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

// watch returns when ctx ends, and ends it if the base path is not the one any more.
func (s *Server) watch(ctx context.Context, stop context.CancelCauseFunc) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if s.lock.Replaced() {
			stop(fmt.Errorf("the lock file %s has been removed", LockName))
			return
		}
		if err := s.api.queue.DB.Moved(); err != nil {
			stop(err)
			return
		}
	}
}

// end lets requests that have begun come to their end, but not for long: those that wait
// for something have been told.
func (s *Server) end() {
	const patience = 5 * time.Second
	limit, stop := context.WithTimeout(context.Background(), patience)
	defer stop()
	var all sync.WaitGroup
	for _, h := range s.http {
		all.Go(func() {
			if h.Shutdown(limit) != nil {
				_ = h.Close()
			}
		})
	}
	all.Wait()
	s.api.sockets.Wait() // which Shutdown does not know
	s.api.logs.all.Wait()
}

// Close removes the socket and leaves the base path to others.
func (s *Server) Close() {
	for _, l := range s.listen {
		l.Close()
	}
	if s.socket != nil {
		if there, err := os.Lstat(s.api.options.Socket); err == nil && os.SameFile(there, s.socket) {
			os.Remove(s.api.options.Socket)
		}
	}
	if s.api != nil {
		if err := s.api.feed.Close(); err != nil && s.api.log != nil {
			s.api.log.Warn("cannot close the feed of events", "error", err)
		}
	}
	if s.lock != nil {
		s.lock.Close()
	}
}

// Serving returns the process and the address of the server of a base path. PID 0: none
// serves it; an empty address: it has none.
func Serving(base string) (pid int, address string, err error) {
	path := filepath.Join(base, LockName)
	on, err := lock.Held(path)
	if err != nil || !on {
		return 0, "", err
	}
	note, err := lock.ReadNote(path)
	if err != nil {
		return 0, "", err
	}
	if _, err := fmt.Sscanf(note, "held by %d", &pid); err != nil {
		return 0, "", nil // it is about to start
	}
	lines := strings.Split(strings.TrimSpace(note), "\n")
	if len(lines) > 1 {
		address = lines[1]
	}
	return pid, address, nil
}
