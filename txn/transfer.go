package txn

import (
	"context"
	"errors"
	"fmt"

	"github.com/jtx-project/jtx/txn/internal/fault"
	"github.com/jtx-project/jtx/txn/internal/versions"
	"github.com/jtx-project/jtx/wal"
)

// transfer is a copy or a move of a file.
type transfer struct {
	from, to string
	move     bool

	src    *draft
	origin wal.Origin // of the file that gets the content
	left   wal.Origin // of the one that is moved away
}

// noteOrigins says where the content is from, and where it went. A path in another
// workspace is not said.
func (tr *transfer) noteOrigins(src, dst *draft, rev uint64) error {
	tr.src = src
	tr.origin = wal.Origin{Kind: wal.OriginCopied, Rev: rev}
	if tr.move {
		tr.origin.Kind = wal.OriginMoved
	}
	tr.left = wal.Origin{Kind: wal.OriginLeft}
	if src.t.WS.ID == dst.t.WS.ID {
		tr.origin.Path, tr.left.Path = src.t.Rel, dst.t.Rel
	}
	newest, err := src.t.File.Newest()
	if newest != nil {
		tr.origin.Txn = versions.IdOf(newest)
	}
	return err
}

// originsOf are the origins of what a call does in a draft.
func (c *call) originsOf(d *draft) []wal.Origin {
	tr := c.transfer
	switch {
	case tr == nil:
		return c.origins
	case d.like != nil:
		return []wal.Origin{tr.origin}
	case tr.move && d == tr.src:
		return []wal.Origin{tr.left}
	}
	return nil
}

// ErrExists is why Move and Copy do nothing, unless [Replacing] is given. It comes
// with ErrConflict.
var ErrExists = errors.New("is there already")

// Replacing lets Move and Copy replace a file that is there.
func Replacing() Option { return func(c *call) { c.replace = true } }

// Move gives a file another name, in one transaction: its content, mode, owner and
// attributes are under the new name and nothing under the old, or all is as it
// was. Both histories go on: each tells of the transaction, whose origins name the
// file and revision that the content is from, and the name that it went to. It fails with ErrConflict where
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
		return &Error{Kind: ErrInvalid, File: tr.to, Err: fmt.Errorf("is the file itself")}
	case dst.doc != nil && !c.replace:
		return &Error{Kind: ErrConflict, File: tr.to, Err: ErrExists}
	}
	rev, err := src.t.Rev()
	if err != nil {
		return fault.In(tr.from, err)
	}
	if err := tr.noteOrigins(src, dst, rev); err != nil {
		return fault.In(tr.from, err)
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

// narrowTransfer keeps the journal of the file that gets the content from whom the
// other file is not for.
func (ses *session) narrowTransfer() {
	tr := ses.call.transfer
	if tr == nil {
		return
	}
	from, to := ses.ByName(ses.s.src.Abs(tr.from)), ses.ByName(ses.s.src.Abs(tr.to))
	if from != nil && to != nil && from != to {
		to.Like = from
	}
}
