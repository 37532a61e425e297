package txn

import (
	"context"
	"errors"
	"io/fs"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"github.com/jtx-project/jtx/lockmgr"
	"github.com/jtx-project/jtx/recover"
	"github.com/jtx-project/jtx/wal"
)

// View runs fn on one consistent state of files, relative to the working
// directory. See [Store.View].
func View(files []string, fn func(*Tx) error) error {
	s, err := shared()
	if err != nil {
		return err
	}
	return s.View(context.Background(), files, fn)
}

// View runs fn on one consistent state of files: never a part of a transaction,
// never a change that is not committed. It creates nothing and, while nobody
// writes, takes no lock. In fn every change fails with ErrReadOnly.
func (s *Store) View(ctx context.Context, files []string, fn func(*Tx) error) error {
	names := s.absAll(files)
	tx, err := s.snapshot(ctx, names)
	if err != nil {
		return asNamed(err, names, files)
	}
	tx.readOnly = true
	if len(tx.drafts) > 0 && tx.drafts[0].name == names[0] {
		tx.last, tx.lastName = tx.drafts[0], files[0]
	}
	return asNamed(protect(fn, tx), names, files)
}

// races is how often a snapshot is tried without a lock.
const races = 3

func (s *Store) snapshot(ctx context.Context, names []string) (*Tx, error) {
	if tx := s.cachedSnapshot(names); tx != nil {
		return tx, nil
	}
	for range races {
		tx, err := s.readUnlocked(ctx, names, lookup{})
		if tx != nil || err != nil {
			return tx, err
		}
	}
	tx, err := s.readShared(ctx, names)
	if tx != nil || err != nil {
		return tx, err
	}
	if tx, err := s.readUncovered(ctx, names); tx != nil || err != nil {
		return tx, err
	}
	err = s.withLocks(ctx, names, s.newCall(nil), func(ses *session) error {
		tx = newTx(ses, nil)
		return tx.fillRevs()
	})
	if cannotWrite(err) {
		return s.readJournals(ctx, names)
	}
	return tx, err
}

// cannotWrite tells an error that keeps from writing, but not from reading.
func cannotWrite(err error) bool {
	return errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EROFS) ||
		errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}

// position is where a file stands in its history. The same position before and
// after reading its bytes, and those of other files, means that nothing was
// committed in between.
type position struct {
	last, applied wal.LSN
	gen           uint32
	file          wal.FileID
}

// position tells where t stands. settled is false where a commit is in progress
// or was cut off: `state` is marked pending from before the first record of a
// unit until all its files are in place.
func (s *Store) position(t *target) (pos position, st wal.State, settled bool, err error) {
	info, err := s.fs.Lstat(t.real)
	if err == nil {
		pos.file = wal.FileIDOf(info)
	} else if !errors.Is(err, fs.ErrNotExist) {
		return pos, st, false, err
	}
	if t.ws == nil {
		return pos, st, true, nil
	}
	st, ok, err := wal.ReadState(s.fs, t.dir)
	if err != nil {
		return pos, st, false, err
	}
	if !ok {
		tracked, err := s.tracked(t)
		return pos, st, !tracked, err
	}
	pos.last, pos.applied, pos.gen = st.Last, st.Applied, st.Gen
	return pos, st, st.Boot == s.opt.Boot && !st.Pending, nil
}

// tracked tells whether the file has a journal at all, where it has no readable
// `state`.
func (s *Store) tracked(t *target) (bool, error) {
	journal, _, err := wal.JournalDir(s.fs, t.dir)
	if err != nil {
		return false, err
	}
	segments, err := s.fs.ReadDir(journal)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return len(segments) > 0, err
}

// readUnlocked reads the files between two looks at their positions. It returns
// nil where one changed, or is not settled.
func (s *Store) readUnlocked(ctx context.Context, names []string, how lookup) (*Tx, error) {
	tx, asked := newEmptyTx(s), time.Now()
	var targets []*target
	var before []position
	var states []wal.State
	for _, name := range names {
		t, err := s.resolveBy(ctx, name, how)
		if err != nil {
			return nil, err
		}
		pos, st, settled, err := s.position(t)
		if err != nil {
			return nil, fail(name, err)
		}
		if !settled {
			return nil, nil
		}
		found, err := recovery.Read(s.fs, t.real, st, s.opt.Limits)
		if err != nil {
			return nil, fail(name, err)
		}
		if found.Err != nil {
			return nil, s.unreadable(t, found, st)
		}
		targets, before, states = append(targets, t), append(before, pos), append(states, st)
		tx.add(&draft{name: name, real: t.real, found: found, doc: found.Doc, rev: st.Rev})
	}
	for i, t := range targets {
		after, _, settled, err := s.position(t)
		if err != nil {
			return nil, fail(t.name, err)
		}
		if !settled || after != before[i] {
			return nil, nil
		}
	}
	for i, t := range targets {
		s.remember(t, tx.drafts[i].found, states[i], asked)
	}
	return tx, nil
}

// unreadable is the error for a file that holds no document. An untracked one is
// simply invalid, once it has had the time that editors take; for a tracked one
// it is nil, so that the slow way looks again, keeps the bytes, and reports.
func (s *Store) unreadable(t *target, found recovery.Found, st wal.State) error {
	if st.Last > 0 {
		return nil
	}
	age := time.Since(found.Info.ModTime())
	if age >= 0 && age < recovery.SettleTime {
		time.Sleep(recovery.SettleTime / 2)
		return nil
	}
	return fail(t.name, found.Err)
}

// readShared waits for writers to finish and reads under shared locks. It returns
// nil where a commit was cut off, so that recovery must write.
func (s *Store) readShared(ctx context.Context, names []string) (*Tx, error) {
	reqs := lockSet{}
	for _, name := range names {
		t, err := s.resolve(ctx, name, false)
		if err != nil {
			return nil, err
		}
		if t.ws == nil {
			continue
		}
		if _, err := s.fs.Lstat(filepath.Join(t.dir, lockName)); errors.Is(err, fs.ErrNotExist) {
			continue
		}
		a, err := s.accessFor(t)
		if err != nil {
			return nil, fail(name, err)
		}
		reqs.addShared(t, a)
	}
	held, err := s.locks.Acquire(ctx, s.patience(), reqs.list)
	if errors.Is(err, fs.ErrPermission) || errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fail("", err)
	}
	tx, err := s.readUnlocked(ctx, names, lookup{held: true})
	if errors.Is(err, errAgain) {
		err = nil
	}
	return tx, errors.Join(err, held.Release())
}

func (l *lockSet) addShared(t *target, a access) {
	r := t.lockRequest(a, "")
	r.Mode = lockmgr.Shared
	l.list = append(l.list, r)
}

// readUncovered reads where no workspace covers some of the files. For these there
// is nothing to recover, and none is made: they are read while the others are
// locked. It returns nil where there are none.
func (s *Store) readUncovered(ctx context.Context, names []string) (*Tx, error) {
	covered, plain, err := s.byCover(ctx, names)
	if err != nil || len(plain) == 0 {
		return nil, err
	}
	for range maxRounds {
		tx, err := s.readBeside(ctx, covered, plain)
		if errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EROFS) {
			return s.readJournals(ctx, names)
		}
		if tx != nil || err != nil {
			return tx, err
		}
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
	}
	return nil, &Error{Kind: ErrConflict, Err: errorf("the files changed during each of %d looks at them", maxRounds)}
}

// readBeside reads covered files under their locks, and plain ones beside them. It
// returns nil where a plain one changed meanwhile.
func (s *Store) readBeside(ctx context.Context, covered, plain []string) (tx *Tx, err error) {
	if len(covered) == 0 {
		return s.readUnlocked(ctx, plain, lookup{})
	}
	err = s.withLocks(ctx, covered, s.newCall(nil), func(ses *session) error {
		locked := newTx(ses, nil)
		if err := locked.fillRevs(); err != nil {
			return err
		}
		if tx, err = s.readUnlocked(ctx, plain, lookup{held: true}); tx == nil || err != nil {
			return err
		}
		for _, d := range locked.drafts {
			tx.add(d)
		}
		return nil
	})
	return tx, err
}

// byCover tells the files that have a workspace from those that have none.
func (s *Store) byCover(ctx context.Context, names []string) (covered, plain []string, err error) {
	for _, name := range names {
		t, err := s.resolve(ctx, name, false)
		if err != nil {
			return nil, nil, err
		}
		if t.ws != nil {
			covered = append(covered, name)
		} else {
			plain = append(plain, name)
		}
	}
	return covered, plain, nil
}

// fillRevs notes the revisions while the locks are held.
func (tx *Tx) fillRevs() error {
	for _, d := range tx.drafts {
		rev, err := d.t.rev()
		if err != nil {
			return fail(d.name, err)
		}
		d.rev, d.t = rev, nil
	}
	return nil
}

// readJournals is for a reader who may not write, where a commit was cut off: what
// recovery would make of the files is worked out in memory.
func (s *Store) readJournals(ctx context.Context, names []string) (*Tx, error) {
	ses := &session{s: s, ctx: ctx}
	var plain []*target
	for _, name := range names {
		t, err := s.resolve(ctx, name, false)
		if err != nil {
			return nil, err
		}
		if t.ws == nil {
			plain = append(plain, t)
		} else {
			ses.targets = append(ses.targets, t)
		}
	}
	plan, err := ses.planReadOnly()
	if err != nil {
		return nil, fail("", err)
	}
	tx, err := ses.rendered(plan)
	if err != nil {
		return nil, err
	}
	for _, t := range plain {
		found, err := recovery.Read(s.fs, t.real, wal.State{}, s.opt.Limits)
		if err == nil {
			err = found.Err
		}
		if err != nil {
			return nil, fail(t.name, err)
		}
		tx.add(&draft{name: t.name, real: t.real, found: found, doc: found.Doc})
	}
	return tx, nil
}

// planReadOnly makes the plan of recovery from what can be read, without a lock.
func (ses *session) planReadOnly() (*recovery.Plan, error) {
	need := &participants{unreachable: map[recovery.Key]error{}}
	for {
		var files []*recovery.File
		for _, t := range ses.all() {
			err := ses.peek(t)
			if err == nil {
				files = append(files, t.file)
			} else if !slices.Contains(ses.extra, t) {
				return nil, fail(t.name, err)
			} else {
				need.unreachable[t.key()] = err
			}
		}
		plan, err := recovery.MakePlan(files, need.unreachable)
		var missing *recovery.MissingError
		if !errors.As(err, &missing) {
			return plan, err
		}
		need.list = append(need.list, missing.Participants...)
		ses.extra = nil
		ses.resolveExtra(need)
	}
}

func (ses *session) peek(t *target) (err error) {
	if t.ws == nil {
		return &Error{Kind: ErrNotFound, File: t.name, Err: errorf("no journal")}
	}
	t.file = &recovery.File{FS: ses.s.fs, Key: t.key(), Dir: t.dir, Target: t.real, Limits: ses.s.opt.Limits}
	if t.file.Journal, err = recovery.Peek(ses.s.fs, t.dir, ses.s.opt.Boot); err != nil {
		return err
	}
	return t.file.Look()
}

// rendered makes a snapshot of what a plan would leave.
func (ses *session) rendered(plan *recovery.Plan) (*Tx, error) {
	tx := newEmptyTx(ses.s)
	for _, fp := range plan.Files {
		t := ses.byKey(fp.File.Key)
		found, err := fp.Outcome()
		if err != nil {
			return nil, fail(t.name, err)
		}
		d := &draft{name: t.name, real: t.real, found: found, doc: found.Doc}
		if fp.Newest != nil {
			d.rev = fp.Newest.Rev
		}
		tx.add(d)
	}
	return tx, nil
}
