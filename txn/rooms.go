package txn

import (
	"context"

	"github.com/jtx-project/jtx/recover"
	"github.com/jtx-project/jtx/txn/internal/doors"
	"github.com/jtx-project/jtx/txn/internal/workspace"
	"github.com/jtx-project/jtx/txn/jsonpatch"
)

// Within is for txn/history and txn/admin: what a store has for nobody else.
func Within(s *Store) *doors.Store {
	return &doors.Store{Source: s.src, Log: s.log, Actor: s.opt.Actor, Locked: func(ctx context.Context, names []string, how doors.Locking, act func(*doors.Files) error) error {
		return s.locked(ctx, names, how, func(ses *session) error {
			return act(&doors.Files{FileSet: &ses.FileSet, Spoil: func() { ses.spoiled = true }, Open: ses.open})
		})
	}}
}

// Asking is for txn/history and txn/admin: what only they ask of a transaction.
func Asking(a doors.Asked) Option {
	return func(c *call) {
		if c.message != "" && a.Note != "" {
			c.message += " (" + a.Note + ")"
		} else {
			c.message += a.Note
		}
		c.origins = append(c.origins, a.Origins...)
		c.MendDamage = c.MendDamage || a.MendDamage
		c.bringsBack = c.bringsBack || a.BringsBack
		if a.Modes != nil {
			c.modes = a.Modes
		}
		if a.DirModes != nil || a.BringsBack && c.parents == nil {
			c.parents = &parents{modes: a.DirModes}
		}
	}
}

// Told is for txn/history and txn/admin: what of the options counts for what is no
// transaction.
func Told(s *Store, opts []Option) (actor string, dryRun bool) {
	c := s.newCall(opts)
	return c.actor, c.dryRun
}

// OpenIn is for txn/history and txn/admin: the open transactions in some directories.
func OpenIn(s *Store, dirs []string) ([]OpenTxInfo, error) { return infos(s.openTxsAround(dirs)) }

// Linked is for txn/history and txn/admin: the open transactions of this user that are
// kept in workspaces elsewhere.
func Linked(s *Store) ([]OpenTxInfo, error) { return infos(s.linkedTxs()) }

func infos(txs []*OpenTx, err error) ([]OpenTxInfo, error) {
	var list []OpenTxInfo
	for _, t := range txs {
		list = append(list, t.Info())
	}
	return list, err
}

// Drafts is for txn/history and txn/admin: a transaction's files.
func Drafts(tx *Tx) []doors.Draft {
	list := make([]doors.Draft, len(tx.drafts))
	for i, d := range tx.drafts {
		list[i] = roomDraft{tx, d}
	}
	return list
}

// roomDraft is a draft as the other rooms have it.
type roomDraft struct {
	tx *Tx
	d  *draft
}

func (r roomDraft) Name() string                           { return r.d.name }
func (r roomDraft) Target() *workspace.Target              { return r.d.t }
func (r roomDraft) Found() recovery.Found                  { return r.d.found }
func (r roomDraft) Document() *jsonpatch.Document          { return r.d.doc }
func (r roomDraft) Ops() jsonpatch.Patch                   { return r.d.ops }
func (r roomDraft) Apply(p jsonpatch.Patch) error          { return r.tx.apply(r.d, p) }
func (r roomDraft) Replace(next *jsonpatch.Document) error { return r.d.replace(next, r.tx.lim) }
func (r roomDraft) Rewrite(next *jsonpatch.Document)       { r.d.doc, r.d.whole = next, true }
func (r roomDraft) Remove()                                { r.d.remove() }
func (r roomDraft) Blank(left []byte)                      { r.d.blank = left }
