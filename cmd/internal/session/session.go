// Package session serves one client that asks for many operations: requests and answers
// are lines of JSON. cmd/clients/SESSION.md describes them.
package session

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/jtx-project/jtx/cmd/internal/cli"
	"github.com/jtx-project/jtx/txn"
)

// Protocol is the version that the first line names. Members may be added to it; what
// is there keeps its meaning.
const Protocol = 1

// DefaultMaxLine is how long a request may be, in bytes.
const DefaultMaxLine = 64 << 20

// What is read and not answered yet is bounded. Beyond that nothing more is read, until
// the client has read answers.
const (
	maxUnanswered      = 1000
	maxUnansweredBytes = 256 << 20
)

// Config is what a session is given.
type Config struct {
	Store   *txn.Store
	Version string // of the program
	MaxLine int    // of a request, in bytes; DefaultMaxLine if 0
}

// hello is the first line.
type hello struct {
	Session int    `json:"session"` // the protocol's version
	Version string `json:"version"`
	MaxLine int    `json:"max_line"`
}

type server struct {
	Config
	gate  gate
	order order
	work  *workers // that answer requests

	out   sync.Mutex
	w     *bufio.Writer
	wrote error // what writing came to first
	end   context.CancelFunc

	mu      sync.Mutex
	running map[string]running // by request
	holds   map[string]*hold   // by transaction
	last    int                // number of the last transaction
	closing bool               // no transaction begins any more
}

// running is a request that is not answered yet.
type running struct {
	cancel context.CancelCauseFunc
	stream bool // it has no end of its own
}

// Serve answers requests until the input ends, or ctx does. What is asked for by then
// is answered; transactions that are open are forgotten.
func Serve(ctx context.Context, c Config, in io.Reader, out io.Writer) error {
	if c.MaxLine <= 0 {
		c.MaxLine = DefaultMaxLine
	}
	ctx, end := context.WithCancel(ctx)
	defer end()
	s := &server{Config: c, w: bufio.NewWriterSize(out, 64<<10), end: end, order: order{last: map[string]*turn{}}, work: newWorkers(), running: map[string]running{}, holds: map[string]*hold{}}
	s.gate.init()
	in, done := pollable(in, out)
	defer done()
	s.write(hello{Protocol, c.Version, c.MaxLine})
	read := make(chan error, 1)
	go func() { read <- s.read(ctx, in) }()
	var err error
	select {
	case err = <-read: // the client has no more to ask
	case <-ctx.Done():
		err = context.Cause(ctx)
	}
	s.forgetHolds()
	s.endStreams()
	s.work.end()
	if s.wrote != nil {
		return cli.OutputError(s.wrote)
	}
	return err
}

// read takes in requests, each of which is answered beside the others.
func (s *server) read(ctx context.Context, in io.Reader) error {
	lines := bufio.NewReaderSize(in, 64<<10)
	for {
		line, err := s.line(lines)
		switch {
		case errors.Is(err, errLongLine):
			s.answer(nil, nil, cli.Invalidf("a request of more than %d bytes", s.MaxLine))
			continue
		case err != nil && !errors.Is(err, io.EOF):
			return err
		}
		if line = bytes.TrimSpace(line); len(line) > 0 && s.gate.enter(ctx, len(line)) {
			s.begin(ctx, line)
		}
		if err != nil || ctx.Err() != nil {
			//lint:ignore nilerr it is the end of the requests, or of the session
			return nil
		}
	}
}

var errLongLine = errors.New("the line is too long")

// line reads a line whole, or passes over one that is too long.
func (s *server) line(r *bufio.Reader) ([]byte, error) {
	var line []byte
	long := false
	for {
		part, err := r.ReadSlice('\n')
		if long = long || len(line)+len(part) > s.MaxLine; !long {
			line = append(line, part...)
		}
		if errors.Is(err, bufio.ErrBufferFull) {
			continue
		}
		if long && (err == nil || errors.Is(err, io.EOF)) {
			return nil, errLongLine
		}
		return line, err
	}
}

// begin starts to answer a request. It waits for those before it that name one of its
// files. What belongs to an open transaction is handed to
// it in the order of the requests.
func (s *server) begin(ctx context.Context, line []byte) {
	req, err := parseRequest(line)
	if err != nil {
		s.answer(req.ID, nil, err)
		s.gate.leave(len(line))
		return
	}
	ctx, done, err := s.register(ctx, req)
	if err != nil {
		s.answer(req.ID, nil, err)
		s.gate.leave(len(line))
		return
	}
	finish := func(result any, err error) {
		err = named(ctx, err)
		done() // who has the answer may use the id again
		s.answer(req.ID, result, err)
		s.gate.leave(len(line))
	}
	if req.TX != "" {
		s.inHold(ctx, req, finish)
		return
	}
	turn := s.order.enter(&req)
	s.work.begin(func() {
		answered := false
		answer := func(result any, err error) {
			if !answered {
				answered = true
				finish(result, err)
				turn.leave()
			}
		}
		var result any
		err := turn.wait(ctx)
		switch {
		case err != nil:
		case req.Do == "begin":
			err = s.hold(ctx, req, answer)
		default:
			result, err = s.do(ctx, req, turn)
			_ = turn.mayAnswer(ctx) // where it is cancelled its answer is for now
		}
		answer(result, err)
	})
}

// register gives a request its context, by which it can be cancelled.
func (s *server) register(ctx context.Context, req request) (context.Context, func(), error) {
	key := string(req.ID)
	ctx, cancel := context.WithCancelCause(ctx)
	stop := func() {}
	if req.TimeoutMS > 0 {
		limit := milliseconds(req.TimeoutMS)
		ctx, stop = context.WithTimeoutCause(ctx, limit, fmt.Errorf("%w of %s ran out", errTimeLimit, limit))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, used := s.running[key]; used {
		cancel(nil)
		stop()
		return nil, nil, cli.Usagef("request %s: the id is that of one that is not answered yet", key)
	}
	s.running[key] = running{cancel, req.Do == "watch"}
	return ctx, func() {
		s.mu.Lock()
		delete(s.running, key)
		s.mu.Unlock()
		cancel(nil)
		stop()
	}, nil
}

var (
	errCancelled = errors.New("cancelled")
	errTimeLimit = errors.New("the time limit")
)

// named says of a request that was ended early why it was.
func named(ctx context.Context, err error) error {
	cause := context.Cause(ctx)
	if err == nil || cause == nil || !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, cause) {
		return err
	}
	if errors.Is(err, txn.ErrInDoubt) {
		return err
	}
	if errors.Is(cause, errCancelled) || errors.Is(cause, errTimeLimit) {
		return &cli.Error{Exit: cli.ExitLocked, Msg: cause.Error() + "; nothing was changed"}
	}
	return cause
}

// answerJSON is the answer to a request. Of a stream each event is one too.
type answerJSON struct {
	ID     json.RawMessage `json:"id"`
	Event  any             `json:"event,omitempty"`
	Result any             `json:"result,omitempty"`
	Error  *cli.Failure    `json:"error,omitempty"`
}

func (s *server) answer(id json.RawMessage, result any, err error) {
	a := answerJSON{ID: id, Result: result}
	if err != nil {
		f := cli.Describe(err)
		a.Result, a.Error = nil, &f
	}
	s.write(a)
}

// write sends a line. Where nobody reads any more the session ends.
func (s *server) write(v any) {
	line := cli.EncodeJSON(v)
	s.out.Lock()
	defer s.out.Unlock()
	if s.wrote != nil {
		return
	}
	_, err := s.w.Write(line)
	if err == nil {
		err = s.w.Flush()
	}
	if err != nil {
		s.wrote = err
		s.end()
	}
}

// gate bounds what is read and not answered.
type gate struct {
	mu    sync.Mutex
	free  sync.Cond
	n     int
	bytes int
}

func (g *gate) init() { g.free.L = &g.mu }

// enter waits for room. Without any it returns when ctx is done, and says no.
func (g *gate) enter(ctx context.Context, size int) bool {
	stop := context.AfterFunc(ctx, func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		g.free.Broadcast()
	})
	defer stop()
	g.mu.Lock()
	defer g.mu.Unlock()
	for ctx.Err() == nil && g.n > 0 && (g.n >= maxUnanswered || g.bytes+size > maxUnansweredBytes) {
		g.free.Wait()
	}
	if ctx.Err() != nil {
		return false
	}
	g.n, g.bytes = g.n+1, g.bytes+size
	return true
}

func (g *gate) leave(size int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.n, g.bytes = g.n-1, g.bytes-size
	g.free.Broadcast()
}
