package txn

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/jtx-project/jtx/wal"
)

// transfer is a copy or a move of a file.
type transfer struct {
	from, to string
	move     bool
	message  string // the caller's

	origin wal.Origin // of the file that gets the content
}

// originOf says for programs where the content is from. A path in another workspace
// is not said.
func (tr *transfer) originOf(src, dst *target, rev uint64) (wal.Origin, error) {
	o := wal.Origin{Kind: wal.OriginCopied, Rev: rev}
	if tr.move {
		o.Kind = wal.OriginMoved
	}
	if src.ws.id == dst.ws.id {
		o.Path = src.rel
	}
	newest, err := src.file.Newest()
	if newest != nil {
		o.Txn = idOf(newest)
	}
	return o, err
}

// originsOf are the origins of what a call does in a draft.
func (c *call) originsOf(d *draft) []wal.Origin {
	if c.transfer == nil || d.like == nil {
		return c.origins
	}
	return []wal.Origin{c.transfer.origin}
}

// ErrExists is why Move and Copy do nothing, unless [Replacing] is given. It comes
// with ErrConflict.
var ErrExists = errors.New("is there already")

// Replacing lets Move and Copy replace a file that is there.
func Replacing() Option { return func(c *call) { c.replace = true } }

// Move gives a file another name, in one transaction: its content, mode, owner and
// attributes are under the new name and nothing under the old, or all is as it
// was. Both histories go on: each tells of the transaction, whose message names
// the file and revision that the content is from. It fails with ErrConflict where
// the new name is taken, unless [Replacing] is given; then nobody may read the
// file who might not read both.
func (s *Store) Move(ctx context.Context, from, to string, opts ...Option) (Result, error) {
	return s.transfer(ctx, transfer{from: from, to: to, move: true}, opts)
}

// Copy is Move, but the old name stays.
func (s *Store) Copy(ctx context.Context, from, to string, opts ...Option) (Result, error) {
	return s.transfer(ctx, transfer{from: from, to: to}, opts)
}

func (s *Store) transfer(ctx context.Context, tr transfer, opts []Option) (Result, error) {
	var c *call
	opts = append(opts, func(given *call) {
		tr.message = given.message
		c, given.transfer = given, &tr
	})
	return s.Do(ctx, []string{tr.from, tr.to}, func(tx *Tx) error { return s.runTransfer(tx, c) }, opts...)
}

func (s *Store) runTransfer(tx *Tx, c *call) error {
	tr := c.transfer
	src, err := tx.existing(tr.from)
	if err != nil {
		return err
	}
	dst, err := tx.file(tr.to)
	switch {
	case err != nil:
		return err
	case src == dst:
		return &Error{Kind: ErrInvalid, File: tr.to, Err: errorf("is the file itself")}
	case dst.doc != nil && !c.replace:
		return &Error{Kind: ErrConflict, File: tr.to, Err: ErrExists}
	}
	rev, err := src.t.rev()
	if err != nil {
		return fail(tr.from, err)
	}
	c.message = tr.describe(s, rev)
	if tr.origin, err = tr.originOf(src.t, dst.t, rev); err != nil {
		return fail(tr.from, err)
	}
	if err := dst.replace(src.doc, tx.lim); err != nil {
		return err
	}
	dst.like = src
	if tr.move {
		src.remove()
	}
	return nil
}

// describe says where the content is from, besides what the caller says.
func (tr *transfer) describe(s *Store, rev uint64) string {
	name := s.abs(tr.from)
	if rel, err := filepath.Rel(s.dir, name); err == nil && filepath.IsLocal(rel) {
		name = rel
	}
	if rev > 0 {
		name = fmt.Sprintf("%s@%d", name, rev)
	}
	text := "copy of " + name
	if tr.move {
		text = "moved from " + name
	}
	if tr.message != "" {
		return tr.message + " (" + text + ")"
	}
	return text
}

// narrowTransfer keeps the journal of the file that gets the content from whom the
// other file is not for.
func (ses *session) narrowTransfer() {
	tr := ses.call.transfer
	if tr == nil {
		return
	}
	from, to := ses.byName(ses.s.abs(tr.from)), ses.byName(ses.s.abs(tr.to))
	if from != nil && to != nil && from != to {
		to.like = from
	}
}
