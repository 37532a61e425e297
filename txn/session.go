package txn

import (
	"errors"
	"io/fs"
	"time"

	"github.com/jtx-project/jtx/lockmgr"
	"github.com/jtx-project/jtx/recover"
	"github.com/jtx-project/jtx/txn/internal/fault"
	"github.com/jtx-project/jtx/txn/internal/workspace"
	"github.com/jtx-project/jtx/wal"
	"github.com/jtx-project/jtx/wal/fsys"
)

// session is some files, locked exclusively and settled.
type session struct {
	workspace.FileSet
	s       *Store
	call    *call
	held    *lockmgr.Held
	report  []recovery.Done
	waited  time.Duration
	names   []string    // that were listed
	spoiled bool        // the files are not as targets says: the session must end
	timer   *time.Timer // ends it while it is parked
	looks   int         // how often that was put off
	since   time.Time   // when it got its locks
	turns   int         // how many transactions it had since
	behind  int64       // the size of the documents that are ahead of their files
}

// round is one try. The locks are released also where fn panics.
func (ses *session) round(names []string, need *workspace.Participants, deadline time.Time, fn func(*session) error) error {
	return ses.through(func() error {
		if err := ses.lock(names, need, deadline); err != nil {
			return err
		}
		if ses.call.Shut {
			return fn(ses)
		}
		if err := ses.settle(need); err != nil {
			return err
		}
		if err := ses.widen(); err != nil {
			return err
		}
		return fn(ses)
	})
}

// through calls fn and ends the session, or parks it.
func (ses *session) through(fn func() error) (err error) {
	whole := false
	defer func() {
		if whole && ses.park() {
			return
		}
		err = errors.Join(err, ses.end(whole))
	}()
	err = fn()
	whole = err == nil
	return err
}

// widen lets journals follow files whose mode was widened. What is not settled may
// be content that is to replace the file, and its mode with it: then it must not.
func (ses *session) widen() error {
	for _, t := range ses.Targets {
		if t.Guarded() || t.File.Found.Info == nil || !t.File.Log.Trusted() {
			continue
		}
		a := t.AccessOf(t.Real, t.File.Found.Info)
		want := a.Dir
		if t.DirMode == want.Perm() {
			continue
		}
		have, err := ses.s.src.FS.Lstat(t.Dir)
		if err != nil {
			return fault.In(t.Name, err)
		}
		if gid, ok := workspace.GroupOf(have); ok {
			if of, _ := workspace.GroupOf(t.File.Found.Info); of != gid {
				want = workspace.Everybody(want)
			}
		}
		if have.Mode().Perm() == want.Perm() {
			continue
		}
		a.Dir, a.File = want, a.File&want
		err = ses.s.src.OpenInside(t.Dir, a)
		if err == nil {
			err = ses.s.src.ChmodDir(t.Dir, want)
		}
		if err != nil && !errors.Is(err, fs.ErrPermission) { // another user's, and no wider than the file
			return fault.In(t.Name, err)
		}
	}
	return nil
}

// narrowGuarded narrows the journals of files that get another one's content, durably
// and before any of it is there. Who else asked for their locks meanwhile had seen
// the file as it was.
func (ses *session) narrowGuarded() error {
	for _, t := range ses.Targets {
		if !t.Guarded() {
			continue
		}
		_, err := ses.s.src.Prepare(t)
		if err == nil {
			err = fsys.SyncDir(ses.s.src.FS, t.Dir)
		}
		if err != nil {
			return fault.In(t.Name, err)
		}
	}
	return nil
}

// lock resolves the files, takes their locks in order, and looks whether they
// still resolve to the same: a nearer workspace may have appeared meanwhile, or
// a symlink been turned.
func (ses *session) lock(names []string, need *workspace.Participants, deadline time.Time) error {
	reqs := lockSet{}
	for _, name := range names {
		if err := ses.s.makeParents(ses.Ctx, name, ses.call); err != nil {
			return err
		}
		t, err := ses.s.src.ResolveBy(ses.Ctx, name, workspace.Lookup{Create: true, Made: &ses.call.made, PassOver: ses.call.PassOver, Hasty: ses.call.Hasty})
		if err != nil {
			return err
		}
		if ses.Find(t.Real) != nil {
			continue
		}
		if mode, ok := ses.call.modes[t.Real]; ok {
			t.Most = &mode
		} else if ses.call.bringsBack && t.Info == nil {
			if t.Most, err = ses.s.formerMode(t); err != nil {
				return fault.In(name, err)
			}
		}
		ses.Targets = append(ses.Targets, t)
	}
	ses.narrowTransfer()
	ses.ResolveExtra(need)
	if err := ses.NoCopies(); err != nil {
		return err
	}
	for _, t := range ses.All() {
		a, err := ses.s.src.Prepare(t)
		if errors.Is(err, fs.ErrNotExist) {
			if lost := ses.s.src.LostFiles(t.WS); lost != nil {
				return fault.In(t.Name, lost)
			}
			return errors.Join(workspace.ErrAgain, fault.In(t.Name, err)) // the workspace went away
		}
		if err == nil && !ses.call.Shut {
			err = t.Lost
		}
		if err != nil {
			return fault.In(t.Name, err)
		}
		reqs.add(t, a, ses.call.Lease)
	}
	held, err := ses.s.src.Locks.Acquire(ses.Ctx, max(0, time.Until(deadline)), reqs.list)
	if errors.Is(err, fs.ErrNotExist) {
		return errors.Join(workspace.ErrAgain, err) // the workspace went away
	}
	if err != nil {
		return fault.In("", err)
	}
	ses.held, ses.since = held, time.Now()
	ses.waited = held.Waited()
	if err := ses.recheck(); err != nil {
		return err
	}
	ses.call.targets = ses.Targets
	return ses.narrowGuarded()
}

// lockSet gathers the locks of files and, once each, of their workspaces.
type lockSet struct {
	list []lockmgr.Request
	seen map[wal.ID]bool
}

func (l *lockSet) add(t *workspace.Target, a workspace.Access, tx string) {
	if l.seen == nil {
		l.seen = map[wal.ID]bool{}
	}
	if !l.seen[t.WS.ID] {
		l.seen[t.WS.ID] = true
		l.list = append(l.list, t.WS.LockRequest(lockmgr.Shared, a.File))
	}
	l.list = append(l.list, t.LockRequest(a, tx))
}

// recheck resolves the names once more. Of the first look nothing is believed, nor is a
// descriptor of it kept: while the locks were waited for a workspace may have been ended, or
// another put in its place. So `format` is read twice in a commit, by six system calls that
// take a µs or less each, of some 2 ms.
func (ses *session) recheck() error {
	for _, t := range ses.All() {
		again, err := ses.s.src.ResolveBy(ses.Ctx, t.Name, workspace.Lookup{Held: true, PassOver: ses.call.PassOver})
		if err != nil {
			return err
		}
		if again.WS == nil || again.WS.ID != t.WS.ID || again.Real != t.Real {
			return workspace.ErrAgain
		}
		t.Info, t.Parent, t.Private = again.Info, again.Parent, again.Private
	}
	return nil
}

// settle opens the journals, looks at the files, and lets recovery decide.
func (ses *session) settle(need *workspace.Participants) error {
	var files []*recovery.File
	for _, t := range ses.All() {
		if err := ses.open(t); err != nil {
			return fault.In(t.Name, err)
		}
		files = append(files, t.File)
	}
	if ses.clean() && !ses.call.Sweep {
		return ses.readable()
	}
	plan, err := recovery.MakePlan(files, need.Unreachable)
	var missing *recovery.MissingError
	if errors.As(err, &missing) {
		need.List = append(need.List, missing.Participants...)
		return workspace.ErrAgain
	}
	if d := ses.call.Decide; err == nil && d != nil {
		var made bool
		if made, err = d(plan, files); made && err == nil {
			plan, err = recovery.MakePlan(files, need.Unreachable)
		}
	}
	if err != nil {
		return fault.In("", err)
	}
	ses.recover(plan)
	for _, tell := range []func([]recovery.Done){ses.call.Recovered, ses.s.opt.OnRecovery} {
		if tell != nil {
			tell(ses.report)
		}
	}
	if err := ses.afterRecovery(); err != nil {
		return err
	}
	return ses.readable()
}

// recover does what the plan says. The histories of files that only other programs
// change grow by it.
func (ses *session) recover(plan *recovery.Plan) {
	all := ses.All()
	before := make([]wal.LSN, len(all))
	for i, t := range all {
		before[i] = t.File.Log.State().Segment
	}
	ses.report = recovery.Apply(plan)
	for i, t := range all {
		_ = ses.s.src.Tidy(ses.Ctx, t, before[i]) // tried again with the next segment; a commit then tells
	}
}

// readable refuses a file that is no document, so that it can't be taken for one
// that is not there. A tracked one was reported as damaged before.
func (ses *session) readable() error {
	for _, t := range ses.Targets {
		if ses.call.MendDamage || ses.call.Sweep {
			continue
		}
		if err := t.MayBegin(&t.File.Found); err != nil {
			return fault.In(t.Name, err)
		}
	}
	return nil
}

// clean tells that no file needs recovery: the common case, told by `state` and
// a hash.
func (ses *session) clean() bool {
	for _, t := range ses.All() {
		if !t.File.Log.Trusted() || t.File.Log.Cut().Bytes > 0 {
			return false
		}
		if !t.File.Log.Empty() && t.File.Found.Version != t.File.Log.State().Content {
			return false
		}
	}
	return true
}

func (ses *session) open(t *workspace.Target) error {
	a, err := ses.s.src.AccessFor(t)
	if err != nil {
		return err
	}
	log, found, err := ses.s.journal(t, a)
	if err != nil {
		return err
	}
	t.File = &recovery.File{
		FS: ses.s.src.FS, Key: t.Key(), Former: t.FormerKeys(), Dir: t.Dir, Target: t.Real,
		Journal: log, Log: log, Limits: ses.s.src.Limits,
	}
	if t.StillThere(found) {
		t.File.Found = *found
		return nil
	}
	return t.File.Look()
}

// afterRecovery turns what recovery could not settle into an error, unless the
// caller wants to go on with a damaged file, and looks again at what it changed. Where
// another program has saved meanwhile, that is for recovery too.
func (ses *session) afterRecovery() error {
	for _, done := range ses.report {
		t := ses.ByKey(done.Key)
		var damage *recovery.DamagedError
		if errors.As(done.Err, &damage) && ses.call.MendDamage {
			continue
		}
		if errors.Is(done.Err, recovery.ErrChanged) {
			return workspace.ErrAgain
		}
		if done.Err != nil {
			return fault.In(t.Name, done.Err)
		}
		// Replaced, or freed of a second link that a half-done rename left.
		if err := t.File.Look(); err != nil {
			return fault.In(t.Name, err)
		}
		if !t.File.StandsAsSettled() {
			return workspace.ErrAgain
		}
	}
	return nil
}

// release closes the journals and gives the locks back.
func (ses *session) release() error {
	var errs []error
	for _, t := range ses.All() {
		if t.File != nil {
			errs = append(errs, t.File.Log.Close())
		}
	}
	if ses.held != nil {
		errs = append(errs, ses.held.Release())
	}
	return errors.Join(errs...)
}
