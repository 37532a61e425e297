package txn

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/jtx-project/jtx/lockmgr"
	"github.com/jtx-project/jtx/txn/backup"
	"github.com/jtx-project/jtx/txn/internal/doors"
	"github.com/jtx-project/jtx/txn/internal/fault"
	"github.com/jtx-project/jtx/txn/internal/versions"
	"github.com/jtx-project/jtx/txn/internal/workspace"
	"github.com/jtx-project/jtx/wal"
)

// DefaultLeaseTTL is how long a lease lasts that nobody ends.
const DefaultLeaseTTL = 5 * time.Minute

// BeginOptions of an open transaction.
type BeginOptions struct {
	// Lock takes a lease on each file: nobody else can commit to it until the
	// transaction ends, its owner dies, or TTL is over.
	Lock bool
	// TTL bounds the leases. If it is 0, DefaultLeaseTTL does; with an Owner it does so
	// for those who can't see that, and DefaultTxTTL for the others.
	TTL time.Duration
	// Owner is the process whose death ends the leases; nil: only time does.
	Owner *lockmgr.Process
	// Kept ties the transaction to this process: its leases by flocks that this holds until
	// the transaction ends, so that they end with it for everybody on this kernel; and
	// recovery discards it where the process has died. Owner is this process.
	Kept bool
	// Apart keeps the transaction in the user's state directory, so that nothing
	// is made beside the files.
	Apart bool
	// Actor and Message are recorded with the commit.
	Actor, Message string
	// Command is what a lease says of itself, for people.
	Command string
}

func (o *BeginOptions) owner() *lockmgr.Process {
	if o.Kept {
		self := lockmgr.Self()
		return &self
	}
	return o.Owner
}

// lifetime is how long the leases last for those who see their owner.
func (o *BeginOptions) lifetime() time.Duration {
	if o.owner() != nil {
		return cmp.Or(o.TTL, DefaultTxTTL)
	}
	return cmp.Or(o.TTL, DefaultLeaseTTL)
}

// OpenTx is a transaction that lives longer than a function, and than a process:
// it is kept on disk. It holds no lock, but pins the files that join it; if one
// was changed by somebody else before Commit, that is a conflict.
type OpenTx struct {
	s      *Store
	dir    string
	data   txData
	damage error // why tx.json can't be read; data has no more than the id then
	hidden bool  // it was removed, but for its lock, which is open
	// keepers hold the flocks of leases that live with this process.
	keepers []*lockmgr.Keeper
}

// OpenTxInfo describes an open transaction.
type OpenTxInfo struct {
	ID      string
	Created time.Time
	// Ahead tells that Created is still to come, since a clock was ahead. The next
	// Recover counts the age from then on.
	Ahead   bool
	Actor   string
	Message string
	// Expires is when the leases end, zero where there are none.
	Expires time.Time
	// Owner is "pid N" and OwnerState alive, dead or unknown, where the leases
	// belong to a process.
	Owner      string
	OwnerState string
	Files      []OpenFile
	Dir        string // where it is kept
	// Err wraps ErrDamaged where what is kept can't be read. Only Abort is possible
	// then; files and leases are not known.
	Err error
}

// OpenFile is a file in an open transaction.
type OpenFile struct {
	File string
	Rev  uint64 // that it is pinned at
	Read bool   // read through the transaction
	Ops  int    // operations staged
}

// Begin opens a transaction and pins files. With Lock it waits for their locks
// and takes leases.
func (s *Store) Begin(ctx context.Context, files []string, o BeginOptions) (*OpenTx, error) {
	c := s.newCall([]Option{WithActor(o.Actor)})
	t, err := s.begin(ctx, files, o, c)
	if err != nil {
		s.unmakeWorkspaces(c)
	}
	return t, err
}

// begin is Begin for a call that is told what was made.
func (s *Store) begin(ctx context.Context, files []string, o BeginOptions, c *call) (*OpenTx, error) {
	home := s.txHome
	if o.Apart {
		home = func(context.Context, []string, *[]*workspace.Workspace) (string, error) { return userTxDir() }
	}
	dir, err := home(ctx, files, &c.made)
	if err != nil {
		return nil, err
	}
	id := wal.NewID().String()
	t := &OpenTx{s: s, dir: filepath.Join(dir, id)}
	began := time.Now().UTC()
	t.data = txData{ID: id, Created: began, Actor: cmp.Or(o.Actor, s.opt.Actor), Message: o.Message, Kept: o.Kept}
	if o.Lock || o.Kept {
		t.data.Owner = o.owner()
	}
	if o.Lock {
		t.data.Expires = began.Add(o.lifetime())
	}
	if err := t.create(ctx); err != nil {
		return nil, fault.In(t.dir, err)
	}
	err = t.join(ctx, files)
	if err == nil && o.Lock {
		err = t.grant(ctx, o)
	}
	if err == nil {
		err = t.save()
	}
	if err != nil {
		if errors.Is(err, ErrLockTimeout) {
			s.logOutcome(s.src.AbsAll(files), c, began, Result{}, err)
		}
		err = errors.Join(err, t.finish(context.WithoutCancel(ctx)))
		t.closeKeepers()
		return nil, err
	}
	return t, nil
}

// ID is what names the transaction in Resume.
func (t *OpenTx) ID() string { return t.data.ID }

// Info describes the transaction as it stands.
func (t *OpenTx) Info() OpenTxInfo {
	d := &t.data
	info := OpenTxInfo{ID: d.ID, Created: d.Created, Ahead: versions.IsAhead(d.Created), Actor: d.Actor, Message: d.Message, Expires: d.Expires, Dir: t.dir, Err: t.damage}
	if d.Owner != nil {
		info.Owner = fmt.Sprintf("pid %d", d.Owner.PID)
		info.OwnerState = d.Owner.Alive().String()
	}
	for _, f := range d.Files {
		info.Files = append(info.Files, OpenFile{File: string(f.File), Rev: f.Rev, Read: f.Read, Ops: len(f.Ops)})
	}
	return info
}

// Has tells whether a file has joined the transaction.
func (t *OpenTx) Has(file string) bool { return t.file(t.s.src.Abs(file)) != nil }

// Update stages what fn does to files. It is tried against what the transaction
// sees; where fn or one of its operations fails, nothing is staged. Files that
// are new to the transaction join it.
func (t *OpenTx) Update(ctx context.Context, files []string, fn func(*Tx) error) error {
	return t.with(ctx, files, func(tx *Tx) error {
		if err := protect(fn, tx); err != nil {
			return err
		}
		for i, d := range tx.drafts {
			t.data.Files[i].hasRead(d)
			if err := t.stage(i, d); err != nil {
				return err
			}
		}
		return nil
	})
}

// View reads files through the transaction: as they were pinned, with what is
// staged. What is read counts for conflicts at Commit, as what Update reads does.
func (t *OpenTx) View(ctx context.Context, files []string, fn func(*Tx) error) error {
	return t.with(ctx, files, func(tx *Tx) error {
		tx.readOnly = true
		for _, name := range files {
			if f := t.file(t.s.src.Abs(name)); f != nil {
				f.Read = true
			}
		}
		err := protect(fn, tx)
		for i, d := range tx.drafts {
			t.data.Files[i].hasRead(d)
		}
		return err
	})
}

// with locks the transaction's own state, lets files join, and calls fn with all
// its files as it sees them. What fn changed in t is saved if it succeeds.
func (t *OpenTx) with(ctx context.Context, files []string, fn func(*Tx) error) error {
	held, err := t.lock(ctx, t.s.src.Patience())
	if err != nil {
		return err
	}
	if err = t.load(); err == nil {
		err = t.reach()
	}
	if err == nil {
		err = t.join(ctx, files)
	}
	if err == nil {
		var tx *Tx
		if tx, err = t.drafts(); err == nil {
			tx.home = func(d *draft) (*workspace.Workspace, error) {
				target, err := t.s.src.Resolve(ctx, d.name)
				if err != nil {
					return nil, err
				}
				return target.WS, nil
			}
			err = fn(tx)
		}
	}
	if err == nil {
		err = t.save()
	}
	return errors.Join(err, t.unlock(held))
}

// join pins files that are new to the transaction.
func (t *OpenTx) join(ctx context.Context, files []string) error {
	var names []string
	seen := map[string]bool{}
	for _, name := range files {
		abs := t.s.src.Abs(name)
		if t.file(abs) != nil {
			continue
		}
		real, err := workspace.RealPath(t.s.src.FS, abs)
		if err != nil {
			return fault.In(name, err)
		}
		if err := t.mayJoin(abs); err != nil {
			return err
		}
		if !seen[real] {
			seen[real] = true
			names = append(names, abs)
		}
	}
	if len(names) == 0 {
		return nil
	}
	if err := t.s.settleOpen(ctx, names); err != nil {
		return err
	}
	drafts, pins, err := t.s.pinned(ctx, names)
	if err != nil {
		return err
	}
	for i, d := range drafts {
		f := pins[i]
		if d.found.Doc != nil {
			if f.Base, err = t.keep(len(t.data.Files), "base", d.found.Data); err != nil {
				return fault.In(d.name, err)
			}
		}
		t.data.Files = append(t.data.Files, f)
	}
	return nil
}

// pinned looks at files as they all are at one moment, and pins them there.
func (s *Store) pinned(ctx context.Context, names []string) (drafts []*draft, pins []*txFile, err error) {
	targets, err := s.resolveReadable(ctx, names)
	if err != nil {
		return nil, nil, err
	}
	err = s.src.AtRest(ctx, targets, versions.Looking{Content: true}, func(seen []*workspace.Target) error {
		drafts, pins = nil, nil
		for _, t := range seen {
			d, err := pinnable(t)
			if err != nil {
				return err
			}
			f := &txFile{File: backup.Path(d.name), Rev: d.rev, Pinned: pinOf(d.found.Version)}
			if f.Made, err = t.Made(d.found); err != nil {
				return fault.In(t.Name, err)
			}
			drafts, pins = append(drafts, d), append(pins, f)
		}
		return nil
	})
	return drafts, pins, err
}

// settleOpen lets recovery settle those of the files of which a commit was cut off, or
// that another program has changed: what a transaction pins must not become an older
// version by that alone. A caller that may not write pins what is shown.
func (s *Store) settleOpen(ctx context.Context, names []string) error {
	var open []string
	for _, name := range names {
		t, err := s.src.Resolve(ctx, name)
		if err != nil {
			return err
		}
		pos, st, settled, err := s.src.Position(t)
		if err != nil {
			return fault.In(name, err)
		}
		if !settled || st.Last > 0 && pos.File != st.File {
			open = append(open, name)
		}
	}
	if len(open) == 0 {
		return nil
	}
	if err := s.locked(ctx, open, doors.Locking{}, nothing); !fault.CannotWrite(err) {
		return err
	}
	return nil
}

// file finds a file that has joined, under the name it joined by or by another
// that leads to it.
func (t *OpenTx) file(abs string) *txFile {
	if f := t.data.file(abs); f != nil {
		return f
	}
	real, err := workspace.RealPath(t.s.src.FS, abs)
	if err != nil {
		return nil
	}
	for _, f := range t.data.Files {
		if other, err := workspace.RealPath(t.s.src.FS, string(f.File)); err == nil && other == real {
			return f
		}
	}
	return nil
}

// drafts is the transaction as its function sees it.
func (t *OpenTx) drafts() (*Tx, error) {
	tx := newEmptyTx(t.s)
	tx.notesReads = true
	for _, f := range t.data.Files {
		d, err := t.draft(f)
		if err != nil {
			return nil, fault.In(string(f.File), err)
		}
		if d.real, err = workspace.RealPath(t.s.src.FS, d.name); err != nil {
			return nil, fault.In(d.name, err)
		}
		tx.add(d)
	}
	return tx, nil
}

// stage keeps what the draft of the i-th file has become.
func (t *OpenTx) stage(i int, d *draft) error {
	f := t.data.Files[i]
	missing := f.Base == "" // what it was before this step
	if f.Changed {
		missing = f.Removed
	}
	if len(d.ops) == len(f.Ops) && d.whole == f.Whole && (d.doc == nil) == missing {
		return nil
	}
	f.Ops, f.Whole, f.Removed = encodeOps(d.ops), d.whole, d.doc == nil
	f.Changed = true
	if d.doc == nil {
		f.Now = ""
		return nil
	}
	var err error
	f.Now, err = t.keep(i, fmt.Sprintf("now-%d", time.Now().UnixNano()), d.doc.Bytes())
	return fault.In(d.name, err)
}

// Abort forgets the transaction and ends its leases. It fails with ErrNotFound
// where the transaction was committed or aborted meanwhile, also where a crash kept the
// commit from ending it: then it is ended. One that is damaged is forgotten too; its
// leases, if it had any, end by themselves.
func (t *OpenTx) Abort(ctx context.Context) error {
	held, err := t.lock(ctx, t.s.src.Patience())
	if err != nil {
		return err
	}
	return errors.Join(t.abort(ctx), t.unlock(held))
}

func (t *OpenTx) abort(ctx context.Context) error {
	if err := t.load(); err != nil && t.damage == nil {
		return err
	}
	done, err := t.wasCommitted(ctx)
	if err != nil {
		return err
	}
	err = t.finish(ctx)
	if done {
		err = errors.Join(&Error{Kind: ErrNotFound, Err: fmt.Errorf("transaction %s was committed already, and is ended now", t.data.ID)}, err)
	}
	return err
}

// DefaultTxTTL is how long an open transaction is kept before a sweep discards
// it.
const DefaultTxTTL = 24 * time.Hour
