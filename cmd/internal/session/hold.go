package session

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jtx-project/jtx/cmd/internal/change"
	"github.com/jtx-project/jtx/cmd/internal/cli"
	"github.com/jtx-project/jtx/txn"
)

// hold is a transaction over several requests. It lives inside of Store.Do, so that its
// locks are the files' own: nothing is left of them when the process dies.
type hold struct {
	id    string
	files []string
	ttl   time.Duration
	ops   chan op
	stop  context.CancelCauseFunc

	// Of the transaction alone, while it runs.
	begun func(statesJSON) // called once, when the locks are held
	seen  []byte           // the state that it began with
	steps []change.Step
	last  *op // the one that ends it

	ended chan struct{} // closed when it is no more
}

// op is a request in a transaction.
type op struct {
	req    request
	finish func(any, error)
}

// Why a transaction ends that isn't committed.
var (
	errAborted          = errors.New("aborted")
	errHeldLong         = errors.New("the transaction's time is over")
	errSessionEnd error = &cli.Error{Exit: cli.ExitConflict, Msg: "the session ends; nothing was changed"}
)

// hold is a transaction from its begin to its end. The request that begins it is answered
// with the state of the files when their locks are held; an error is for that one, unless
// it has its answer.
func (s *server) hold(ctx context.Context, req request, answer func(any, error)) error {
	if len(req.Files) == 0 {
		return cli.Usagef(`begin: "files" is empty`)
	}
	opts, err := req.options(s.Store)
	if err != nil {
		return err
	}
	h := &hold{files: req.Files, ttl: txn.DefaultLeaseTTL, ops: make(chan op), ended: make(chan struct{})}
	if req.TTLMS > 0 {
		h.ttl = milliseconds(req.TTLMS)
	}
	own, stop := context.WithCancelCause(context.WithoutCancel(ctx))
	defer stop(nil)
	h.stop = stop
	s.addHold(h)
	// Until it has begun the request's own end is the transaction's.
	begun := context.AfterFunc(ctx, func() { stop(context.Cause(ctx)) })
	h.begun = func(state statesJSON) {
		begun()
		answer(state, nil)
	}
	return s.runHold(own, h, opts)
}

func (s *server) addHold(h *hold) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last++
	h.id = fmt.Sprintf("t%d", s.last)
	s.holds[h.id] = h
	if s.closing {
		h.stop(errSessionEnd)
	}
}

// runHold commits what is done until the transaction ends, and answers the request that
// ends it.
func (s *server) runHold(ctx context.Context, h *hold, opts []txn.Option) error {
	res, err := s.Store.Do(ctx, h.files, func(tx *txn.Tx) error { return h.run(ctx, tx) }, opts...)
	s.mu.Lock()
	delete(s.holds, h.id)
	s.mu.Unlock()
	close(h.ended)
	switch {
	case h.last == nil:
	case h.last.req.Do == "abort":
		h.last.finish(empty{}, nil)
	case err != nil:
		h.last.finish(nil, err)
	default:
		h.last.finish(cli.NewOutcome(res, h.files, false).JSON(), nil)
	}
	return err
}

// run does what is asked for. It is called again where another program has changed a
// file beside the locks: what the client has seen must still be so then.
func (h *hold) run(ctx context.Context, tx *txn.Tx) error {
	files, err := statesOf(tx, h.files, "")
	if err != nil {
		return err
	}
	state := statesJSON{TX: h.id, Files: files}
	text := cli.EncodeJSON(state)
	if h.seen == nil {
		h.seen = text
		h.begun(state)
	}
	if !bytes.Equal(text, h.seen) {
		return &txn.Error{Kind: txn.ErrConflict, File: h.files[0], Err: errors.New("was changed by another program, beside the transaction's locks")}
	}
	if err := change.Do(tx, h.steps); err != nil {
		return err
	}
	timer := time.NewTimer(h.ttl)
	defer timer.Stop()
	for h.last == nil {
		select {
		case o := <-h.ops:
			if err := h.one(tx, o); err != nil {
				return err
			}
		case <-timer.C:
			return errHeldLong
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}

// one does what one request asks for. A change that fails ends the transaction, since a
// part of it may have been done.
func (h *hold) one(tx *txn.Tx, o op) error {
	switch o.req.Do {
	case "read":
		states, err := readHold(tx, o.req, h.files)
		o.finish(states, err)
		return nil
	case "change":
		if err := change.Do(tx, o.req.steps); err != nil {
			o.finish(nil, err)
			return err
		}
		h.steps = append(h.steps, o.req.steps...)
		o.finish(empty{}, nil)
		return nil
	case "commit":
		if err := change.Do(tx, o.req.steps); err != nil {
			o.finish(nil, err)
			return err
		}
		h.steps, h.last = append(h.steps, o.req.steps...), &o
		return nil
	case "abort":
		h.last = &o
		return errAborted
	}
	o.finish(nil, cli.Usagef(`%s: not in a transaction; want read, change, commit or abort`, o.req.Do))
	return nil
}

func readHold(tx *txn.Tx, req request, all []string) (any, error) {
	ptr, err := req.pointer()
	if err != nil {
		return nil, err
	}
	if len(req.Files) == 0 {
		req.Files = all
	}
	files, err := statesOf(tx, req.Files, ptr)
	if err != nil {
		return nil, err
	}
	return statesJSON{Files: files}, nil
}

// inHold hands a request to its transaction.
func (s *server) inHold(ctx context.Context, req request, finish func(any, error)) {
	s.mu.Lock()
	h := s.holds[req.TX]
	s.mu.Unlock()
	gone := &txn.Error{Kind: txn.ErrConflict, Err: fmt.Errorf("no transaction %s is open: it has ended, or its time was over; nothing more was changed", cli.QuoteWord(req.TX))}
	if h == nil {
		finish(nil, gone)
		return
	}
	select {
	case h.ops <- op{req, finish}:
	case <-h.ended:
		finish(nil, gone)
	case <-ctx.Done():
		finish(nil, context.Cause(ctx))
	}
}

// forgetHolds ends the open transactions. Nothing of them is changed.
func (s *server) forgetHolds() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closing = true
	for _, h := range s.holds {
		h.stop(errSessionEnd)
	}
}
