package session

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"slices"

	"github.com/jtx-project/jtx/cmd/internal/change"
	"github.com/jtx-project/jtx/cmd/internal/cli"
	"github.com/jtx-project/jtx/txn"
	"github.com/jtx-project/jtx/txn/history"
	"github.com/jtx-project/jtx/txn/jsonpatch"
)

// empty is the result of what has none.
type empty struct{}

// do answers a request that is in no open transaction.
func (s *server) do(ctx context.Context, req request, turn *turn) (any, error) {
	switch req.Do {
	case "ping":
		return empty{}, nil
	case "read":
		return s.readFiles(ctx, req)
	case "change":
		return s.change(ctx, req, turn)
	case "outcome":
		return s.outcome(ctx, req)
	case "log":
		return s.log(ctx, req)
	case "watch":
		return s.watch(ctx, req)
	case "cancel":
		return s.cancel(req), nil
	case "commit", "abort":
		return nil, cli.Usagef(`%s: "tx" is missing`, req.Do)
	}
	return nil, cli.Usagef(`"do": want ping, read, change, begin, commit, abort, outcome, log, watch or cancel`)
}

// stateJSON is a file as it is read.
type stateJSON struct {
	*cli.JSONFile
	Rev    uint64          `json:"rev"`
	Exists bool            `json:"exists"`
	Value  json.RawMessage `json:"value,omitempty"`
}

type statesJSON struct {
	TX    string      `json:"tx,omitempty"` // that was begun
	Files []stateJSON `json:"files"`
}

func (s *server) readFiles(ctx context.Context, req request) (any, error) {
	ptr, err := req.pointer()
	switch {
	case err != nil:
		return nil, err
	case len(req.Files) == 0:
		return nil, cli.Usagef(`read: "files" is empty`)
	case req.At != "":
		return s.readAt(ctx, req, ptr)
	}
	var states statesJSON
	err = s.Store.View(ctx, req.Files, func(tx *txn.Tx) (err error) {
		states.Files, err = statesOf(tx, req.Files, ptr)
		return err
	})
	if err != nil {
		return nil, err
	}
	return states, nil
}

// statesOf reads files in a transaction. One that is not there is no error where the
// whole of it is asked for.
func statesOf(tx *txn.Tx, files []string, ptr string) ([]stateJSON, error) {
	states := make([]stateJSON, len(files))
	for i, file := range files {
		there, err := tx.Exists(file)
		if err != nil {
			return nil, err
		}
		rev, err := tx.Rev(file)
		if err != nil {
			return nil, err
		}
		states[i] = stateJSON{JSONFile: cli.NewJSONFile(file), Rev: rev, Exists: there}
		if !there && ptr == "" {
			continue
		}
		at, err := change.Resolve(tx, file, ptr)
		if err != nil {
			return nil, err
		}
		value, err := tx.Get(file, at)
		if err != nil {
			return nil, err
		}
		states[i].Value = jsonpatch.Compact(value)
	}
	return states, nil
}

func (s *server) readAt(ctx context.Context, req request, ptr string) (any, error) {
	at, err := point(req.At)
	if err != nil {
		return nil, err
	}
	versions, err := history.ReadVersions(ctx, s.Store, req.Files, at)
	if err != nil {
		return nil, err
	}
	var states statesJSON
	for i, v := range versions {
		state := stateJSON{JSONFile: cli.NewJSONFile(req.Files[i]), Rev: v.Rev, Exists: v.Exists}
		if v.Exists {
			doc := jsonpatch.Trusted(v.Data, jsonpatch.JSONC)
			at, err := change.ResolveIn(doc, ptr)
			if err != nil {
				return nil, &txn.Error{Kind: txn.ErrNotFound, File: v.File, Err: err}
			}
			parsed, err := jsonpatch.ParsePointer(at)
			if err != nil {
				return nil, err
			}
			value, err := doc.Get(parsed)
			if err != nil {
				return nil, &txn.Error{Kind: txn.ErrNotFound, File: v.File, Pointer: ptr, Err: err}
			}
			state.Value = jsonpatch.Compact(value)
		}
		states.Files = append(states.Files, state)
	}
	return states, nil
}

func (s *server) change(ctx context.Context, req request, turn *turn) (any, error) {
	opts, err := req.options(s.Store)
	if err != nil {
		return nil, err
	}
	files := change.Files(req.steps)
	for _, name := range slices.Sorted(maps.Keys(req.IfRev)) {
		if !slices.Contains(files, name) {
			files = append(files, name)
		}
	}
	opts = append(opts, txn.WhenInLine(turn.place))
	res, err := s.Store.Do(ctx, files, func(tx *txn.Tx) error { return change.Do(tx, req.steps) }, opts...)
	if err != nil {
		return nil, err
	}
	return cli.NewOutcome(res, files, req.DryRun).JSON(), nil
}

// outcomeJSON tells what became of a request.
type outcomeJSON struct {
	Committed bool           `json:"committed"`
	Entry     *cli.EntryJSON `json:"transaction,omitempty"`
}

// outcome looks for a transaction by the client's own name for it. What a process that
// died has left is settled first: the answer stays true.
func (s *server) outcome(ctx context.Context, req request) (any, error) {
	if req.Request == "" || len(req.Files) == 0 {
		return nil, cli.Usagef(`outcome: want "request" and "files"`)
	}
	since, err := since(req.Since)
	if err != nil {
		return nil, err
	}
	if _, err := s.Store.Do(ctx, req.Files, func(*txn.Tx) error { return nil }); err != nil {
		return nil, err
	}
	for _, file := range req.Files {
		for e, err := range history.Log(ctx, s.Store, []string{file}, history.LogOptions{Since: since}) {
			if errors.Is(err, txn.ErrNotFound) {
				break
			}
			if err != nil {
				return nil, err
			}
			if e.Request == req.Request {
				found := cli.NewEntryJSON(e, false)
				return outcomeJSON{true, &found}, nil
			}
		}
	}
	return outcomeJSON{}, nil
}

func since(text string) (history.Point, error) {
	if text == "" {
		return history.Point{}, nil
	}
	return point(text)
}

type logJSON struct {
	Transactions []cli.EntryJSON `json:"transactions"`
}

func (s *server) log(ctx context.Context, req request) (any, error) {
	since, err := since(req.Since)
	if err != nil {
		return nil, err
	}
	list := logJSON{Transactions: []cli.EntryJSON{}}
	for e, err := range history.Log(ctx, s.Store, req.Files, history.LogOptions{Since: since, Patches: req.Patches}) {
		if err != nil {
			return nil, err
		}
		list.Transactions = append(list.Transactions, cli.NewEntryJSON(e, req.Patches))
		if len(list.Transactions) == req.Number {
			break
		}
	}
	return list, nil
}

// watch sends each commit as an event, until it is cancelled or the input ends.
func (s *server) watch(ctx context.Context, req request) (any, error) {
	o := history.WatchOptions{After: req.After, Patches: req.Patches}
	if req.Since != "" {
		var err error
		if o.Since, err = point(req.Since); err != nil {
			return nil, err
		}
	}
	n := 0
	for e, err := range history.Watch(ctx, s.Store, req.Files, o) {
		if ctx.Err() != nil && errors.Is(context.Cause(ctx), errCancelled) {
			return empty{}, nil
		}
		if err != nil {
			return nil, err
		}
		s.write(answerJSON{ID: req.ID, Event: cli.NewEntryJSON(e, req.Patches)})
		if n++; n == req.Number {
			break
		}
	}
	return empty{}, nil
}

// endStreams ends what would go on for ever.
func (s *server) endStreams() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.running {
		if r.stream {
			r.cancel(errCancelled)
		}
	}
}

func (s *server) cancel(req request) any {
	s.mu.Lock()
	defer s.mu.Unlock()
	r, found := s.running[string(req.Target)]
	if found {
		r.cancel(errCancelled)
	}
	return map[string]bool{"cancelled": found}
}
