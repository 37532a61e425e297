package txn

import (
	"errors"
	"fmt"
	"slices"

	"github.com/jtx-project/jtx/recover"
	"github.com/jtx-project/jtx/txn/internal/fault"
	"github.com/jtx-project/jtx/txn/internal/workspace"
	"github.com/jtx-project/jtx/txn/jsonpatch"
	"github.com/jtx-project/jtx/wal"
)

// Tx is a transaction as its function sees it: the files as they are, and its own
// changes. It must not be used after the function has returned, nor by several
// goroutines at once. A file is named as it was listed, or by any other path to
// it. Pointers are RFC 6901; "" is the whole document.
//
// An operation that fails changes nothing, but what was done before it stands: the
// function must return the error, or else that is committed.
type Tx struct {
	s       *Store
	drafts  []*draft
	aliases map[string]*draft // by other names that lead to them
	// last is the file that was named last, as lastName: mostly the next one too.
	last     *draft
	lastName string
	lim      jsonpatch.Limits
	// readOnly makes every change fail, as in a View.
	readOnly bool
	// notesReads is for an open transaction, whose commit looks at what was read.
	notesReads bool
	// home is for an open transaction, whose drafts have no target: a file's workspace.
	home func(d *draft) (*workspace.Workspace, error)
	done bool
}

// draft is one file in a transaction.
type draft struct {
	name  string // absolute
	real  string // symlinks resolved
	found recovery.Found
	rev   uint64
	t     *workspace.Target // nil in a View

	doc   *jsonpatch.Document // as the transaction sees it; nil where there is no file
	ops   jsonpatch.Patch     // what it has done
	whole bool                // it was rewritten whole: the bytes are not what ops give
	over  bool                // ops do not give the value either: an image carries it
	steps int                 // calls of apply that made doc
	// styled tells that a rule of style had a say in doc, so that ops alone may give
	// other bytes.
	styled bool
	like   *draft   // whose mode, owner and attributes it gets
	blank  []byte   // the white space that is left of a file that is removed, nil for none
	reads  []string // pointers that were read, where that is noted

	hashed  *jsonpatch.Document // of which version is known
	version wal.Version

	known bool // what it comes to
	comes *change
}

// versionNow is what the draft's bytes are, which are hashed once.
func (d *draft) versionNow() wal.Version {
	if d.hashed != d.doc {
		d.hashed, d.version = d.doc, wal.VersionOf(d.doc.Bytes())
	}
	return d.version
}

// newTx is a transaction on what before leaves, which is nil for the first one of a
// session: that finds the files as they are.
func newTx(ses *session, before *Tx) *Tx {
	tx := newEmptyTx(ses.s)
	tx.drafts = make([]*draft, len(ses.Targets))
	for i, t := range ses.Targets {
		d := &draft{name: t.Name, real: t.Real, t: t}
		if before != nil {
			d.found = before.drafts[i].leaves()
		} else {
			d.found = t.Current()
		}
		d.doc = d.found.Doc
		tx.drafts[i] = d
	}
	return tx
}

// leaves is what whoever comes after the draft finds.
func (d *draft) leaves() recovery.Found {
	if d.doc == d.found.Doc {
		return d.found
	}
	if d.doc == nil {
		return recovery.Found{}
	}
	found := d.found
	found.Data, found.Doc = d.doc.Bytes(), d.doc
	found.Version, found.Err = d.versionNow(), nil
	return found
}

// hash finds the versions of what was changed, for the transaction behind it too.
func (tx *Tx) hash() {
	for _, d := range tx.drafts {
		if d.doc != nil && d.doc != d.found.Doc {
			d.versionNow()
		}
	}
}

func newEmptyTx(s *Store) *Tx {
	return &Tx{s: s, lim: s.src.Limits}
}

func (tx *Tx) add(d *draft) { tx.drafts = append(tx.drafts, d) }

func (tx *Tx) close() { tx.done = true }

var errTxDone = errors.New("the transaction's function has returned")

func (tx *Tx) file(name string) (*draft, error) {
	if tx.done {
		return nil, &Error{Kind: ErrInvalid, File: name, Err: errTxDone}
	}
	if tx.last != nil && tx.lastName == name {
		return tx.last, nil
	}
	for _, d := range tx.drafts {
		if tx.s.src.Names(name, d.name) {
			tx.last, tx.lastName = d, name
			return d, nil
		}
	}
	if d := tx.alias(tx.s.src.Abs(name)); d != nil {
		return d, nil
	}
	return nil, &Error{Kind: ErrNotListed, File: name, Err: ErrNotListed}
}

// alias finds a file by another name that leads to it.
func (tx *Tx) alias(path string) *draft {
	if d := tx.aliases[path]; d != nil {
		return d
	}
	real, err := workspace.RealPath(tx.s.src.FS, path)
	if err != nil {
		return nil
	}
	i := slices.IndexFunc(tx.drafts, func(d *draft) bool { return d.real == real })
	if i < 0 {
		return nil
	}
	if tx.aliases == nil {
		tx.aliases = map[string]*draft{}
	}
	tx.aliases[path] = tx.drafts[i]
	return tx.drafts[i]
}

// existing is a file that must be there.
func (tx *Tx) existing(name string) (*draft, error) {
	d, err := tx.file(name)
	if err != nil {
		return nil, err
	}
	if d.doc == nil {
		return nil, d.missing(name)
	}
	return d, nil
}

// missing says that there is no document.
func (d *draft) missing(name string) error {
	if d.found.Blank() && len(d.ops) == 0 {
		return &Error{Kind: ErrNotFound, File: name, Err: fmt.Errorf("is empty: set, put or merge give it a document")}
	}
	return &Error{Kind: ErrNotFound, File: name, Err: noSuchFile{}}
}

// noteRead notes that the transaction depends on what is at a pointer.
func (tx *Tx) noteRead(d *draft, pointer string) {
	if tx.notesReads && !slices.Contains(d.reads, pointer) {
		d.reads = append(d.reads, pointer)
	}
}

func (tx *Tx) writable(name string) (*draft, error) {
	if tx.readOnly {
		return nil, &Error{Kind: ErrReadOnly, File: name}
	}
	return tx.file(name)
}

// apply stages a patch, written in the file's style.
func (tx *Tx) apply(d *draft, p jsonpatch.Patch) error {
	if len(p) == 0 {
		return nil
	}
	style, err := tx.style(d)
	if err != nil {
		return err
	}
	next, err := d.doc.Edit(p, style, tx.lim)
	if err != nil {
		return fault.Conflict(d.name, err)
	}
	d.doc, d.styled = next.Doc, d.styled || next.Styled
	p = p.Compact()
	if d.ops == nil {
		d.ops = slices.Clip(p)
	} else {
		d.ops = append(d.ops, p...)
	}
	d.steps++
	return nil
}

// madeAnew tells that the file was removed and then made again.
func (d *draft) madeAnew() bool {
	return len(d.ops) > 0 && d.ops[0].Op == "remove" && len(d.ops[0].Path) == 0
}

// change is what a draft comes to at the commit.
type change struct {
	draft *draft
	data  []byte      // nil: the file is removed, see draft.blank too
	after wal.Version // of data
	patch jsonpatch.Patch
	text  []byte // of patch, where it was asked for
	image bool   // neither patch nor splices give data
	// splices give data where a plain rendering of patch does not.
	splices []wal.Splice
}

// encoded is the patch as text.
func (c *change) encoded() []byte {
	if c.text == nil {
		c.text = c.patch.Encode()
	}
	return c.text
}

// merged is what a file's changes by a group of transactions, one or more, come to.
func merged(parts []part, lim jsonpatch.Limits) (*change, error) {
	first, last := parts[0].draft, parts[len(parts)-1].draft
	if len(parts) == 1 {
		return parts[0].change, nil
	}
	d := &draft{name: first.name, found: first.found, t: first.t, doc: last.doc, like: last.like, hashed: last.hashed, version: last.version}
	d.ops = make(jsonpatch.Patch, 0, len(parts))
	spliced := false
	for _, c := range parts {
		d.ops = append(d.ops, c.patch...)
		d.over = d.over || c.image
		spliced = spliced || len(c.splices) > 0
		d.steps += max(c.draft.steps, 1)
	}
	if d.madeAnew() {
		d.over = true // the patches, which are kept as they are, go through nothing
		d.ops = nil
	}
	if spliced && !d.over && first.found.Doc != nil && last.doc != nil {
		d.over, d.steps = !replays(parts, lim), 0
	}
	c, err := d.change(lim)
	if err != nil || c != nil {
		return c, err
	}
	// They cancel each other out, and are in the history all the same.
	c = &change{draft: d, patch: d.ops, image: d.over}
	if d.doc != nil {
		c.data, c.after = d.doc.Bytes(), d.versionNow()
	}
	return c, nil
}

// replays tells whether the parts, recorded one behind the other, give what the last
// one leaves.
func replays(parts []part, lim jsonpatch.Limits) bool {
	rec := &wal.Record{}
	for _, p := range parts {
		rec.Txns = append(rec.Txns, wal.Txn{Patch: p.encoded(), Splices: p.splices})
	}
	doc, err := recovery.ApplyRecord(parts[0].draft.found.Doc, rec, lim)
	return err == nil && string(doc.Bytes()) == string(parts[len(parts)-1].draft.doc.Bytes())
}

// knownStrict tells whether the draft is known to be strict JSON. What was made of a
// document with comments is not looked at for that.
func (d *draft) knownStrict() bool {
	for _, doc := range []*jsonpatch.Document{d.found.Doc, d.doc} {
		if doc != nil && doc.Syntax() != jsonpatch.Strict {
			return false
		}
	}
	return d.doc != nil
}

// comesTo is what the draft, which does not change any more, comes to: found once.
func (d *draft) comesTo(lim jsonpatch.Limits) (*change, error) {
	if !d.known {
		c, err := d.change(lim)
		if err != nil {
			return nil, err
		}
		d.known, d.comes = true, c
	}
	return d.comes, nil
}

// change compares the draft with what was found. It is nil where the bytes are
// the same.
func (d *draft) change(lim jsonpatch.Limits) (*change, error) {
	c := &change{draft: d, patch: d.ops, image: d.over}
	if d.doc == nil {
		damaged := d.found.Err != nil && len(d.ops) == 0 // and let be
		if !d.found.Version.Exists || damaged {
			return nil, nil
		}
		c.data = d.blank
		return c, nil
	}
	if d.doc == d.found.Doc {
		return nil, nil
	}
	c.data, c.after = d.doc.Bytes(), d.versionNow()
	switch {
	case c.after == d.found.Version:
		return nil, nil
	case !d.found.Version.Exists, d.found.Doc == nil:
		c.image = true
	case d.madeAnew():
		// What was done to the new file says nothing about the old one.
		made, err := recovery.Describe(d.found.Doc, d.doc, lim)
		if err != nil {
			return nil, err
		}
		c.patch, c.splices, c.image = made.Patch, made.Splices, made.Image
	case !c.image && (d.steps > 1 || d.styled || d.whole):
		// Recovery applies the operations as one patch, and plainly: what they
		// give then may not be what is written.
		made := recovery.DescribeBy(d.ops, d.found.Doc, d.doc, lim)
		c.splices, c.image = made.Splices, made.Image
	}
	return c, nil
}

// remove makes the draft no file.
func (d *draft) remove() {
	d.doc, d.ops, d.whole, d.over = nil, jsonpatch.Patch{{Op: "remove"}}, true, true
}
