package session

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/jtx-project/jtx/cmd/internal/change"
	"github.com/jtx-project/jtx/cmd/internal/cli"
	"github.com/jtx-project/jtx/txn"
	"github.com/jtx-project/jtx/txn/history"
	"github.com/jtx-project/jtx/txn/jsonpatch"
)

// request is a line of the client.
type request struct {
	ID        json.RawMessage `json:"id"`
	Do        string          `json:"do"`
	TimeoutMS int64           `json:"timeout_ms"`

	TX      string          `json:"tx"`     // an open transaction
	Target  json.RawMessage `json:"cancel"` // the id of a request
	Files   []string        `json:"files"`
	Pointer *string         `json:"pointer"`
	At      string          `json:"at"`

	Changes    []json.RawMessage       `json:"changes"`
	IfRev      map[string]txn.Expected `json:"if_rev"`
	Message    string                  `json:"message"`
	Actor      string                  `json:"actor"`
	Request    string                  `json:"request"`
	Durability string                  `json:"durability"`
	DryRun     bool                    `json:"dry_run"`
	TTLMS      int64                   `json:"ttl_ms"`

	Since   string            `json:"since"`
	After   map[string]uint64 `json:"after"`
	Patches bool              `json:"patches"`
	Number  int               `json:"number"`

	steps []change.Step // what Changes say
}

// parseRequest reads a line. Where it fails the id is that of the request, if it has one.
func parseRequest(line []byte) (request, error) {
	var req request
	if _, err := jsonpatch.ParseStrict(line, jsonpatch.Limits{}); err != nil {
		return req, cli.InvalidIn("the request", err)
	}
	dec := json.NewDecoder(bytes.NewReader(line))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&req); err != nil {
		var only struct {
			ID json.RawMessage `json:"id"`
		}
		if json.Unmarshal(line, &only) == nil {
			req = request{ID: only.ID}
		}
		return req, cli.Usagef("the request: %s", strings.TrimPrefix(err.Error(), "json: "))
	}
	switch {
	case len(req.ID) == 0 || !strings.ContainsAny(string(req.ID[:1]), `"-0123456789`):
		return req, cli.Usagef(`the request has no "id" that is a string or a number`)
	case req.TimeoutMS < 0 || req.TTLMS < 0 || req.Number < 0:
		return req, cli.Usagef(`"timeout_ms", "ttl_ms" and "number" can't be negative`)
	}
	for _, f := range req.Files {
		if err := cli.CheckFile(f); err != nil {
			return req, err
		}
	}
	return req, req.parseChanges()
}

func milliseconds(n int64) time.Duration { return time.Duration(n) * time.Millisecond }

// parseChanges reads what is to be changed.
func (r *request) parseChanges() error {
	if r.Do == "change" && len(r.Changes) == 0 {
		return cli.Usagef(`change: "changes" is empty`)
	}
	for i, text := range r.Changes {
		step, err := change.ParseStep(fmt.Sprintf("change %d", i+1), text)
		if err != nil {
			return err
		}
		r.steps = append(r.steps, step)
	}
	return nil
}

// options are what the members mean to a transaction in s.
func (r *request) options(s *txn.Store) ([]txn.Option, error) {
	opts := []txn.Option{txn.WithActor(r.Actor), txn.WithMessage(r.Message), txn.WithRequest(r.Request)}
	if r.Durability != "" {
		level, err := txn.ParseDurability(r.Durability)
		if err != nil {
			return nil, cli.Usagef(`"durability": want full, journal or none`)
		}
		opts = append(opts, txn.WithDurability(level))
	}
	if r.DryRun {
		opts = append(opts, txn.DryRun())
	}
	for file, want := range r.IfRev {
		if err := cli.CheckFile(file); err != nil {
			return nil, err
		}
		opts = append(opts, s.IfAt(file, want))
	}
	return opts, nil
}

// pointer is the place in the files that is asked for.
func (r *request) pointer() (string, error) {
	if r.Pointer == nil {
		return "", nil
	}
	return change.Place(*r.Pointer)
}

// point is the version that is asked for.
func point(text string) (history.Point, error) {
	p, err := history.ParsePoint(text, time.Now())
	if err != nil {
		return p, cli.Usagef("%s is no version", cli.QuoteWord(text))
	}
	return p, nil
}
