package txn

import (
	"errors"
	"io/fs"
	"time"

	"github.com/jtx-project/jtx/lockmgr"
	"github.com/jtx-project/jtx/recover"
	"github.com/jtx-project/jtx/wal"
	"github.com/jtx-project/jtx/wal/fsys"
)

// session is some files, locked exclusively and settled.
type session struct {
	fileSet
	call    *call
	held    *lockmgr.Held
	report  []recovery.Done
	waited  time.Duration
	names   []string    // that were listed
	spoiled bool        // the files are not as targets says: the session must end
	timer   *time.Timer // ends it while it is parked
	looks   int         // how often that was put off
	behind  int64       // the size of the documents that are ahead of their files
}

// round is one try. The locks are released also where fn panics.
func (ses *session) round(names []string, need *participants, deadline time.Time, fn func(*session) error) error {
	return ses.through(func() error {
		if err := ses.lock(names, need, deadline); err != nil {
			return err
		}
		if ses.call.shut {
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
	for _, t := range ses.targets {
		if t.guarded() || t.file.Found.Info == nil || !t.file.Log.Trusted() {
			continue
		}
		a := t.accessOf(t.real, t.file.Found.Info)
		want := a.dir
		if t.dirMode == want.Perm() {
			continue
		}
		have, err := ses.s.fs.Lstat(t.dir)
		if err != nil {
			return fail(t.name, err)
		}
		if gid, ok := groupOf(have); ok {
			if of, _ := groupOf(t.file.Found.Info); of != gid {
				want = everybody(want)
			}
		}
		if have.Mode().Perm() == want.Perm() {
			continue
		}
		a.dir, a.file = want, a.file&want
		err = ses.s.openInside(t.dir, a)
		if err == nil {
			err = ses.s.chmodDir(t.dir, want)
		}
		if err != nil && !errors.Is(err, fs.ErrPermission) { // another user's, and no wider than the file
			return fail(t.name, err)
		}
	}
	return nil
}

// narrowGuarded narrows the journals of files that get another one's content, durably
// and before any of it is there. Who else asked for their locks meanwhile had seen
// the file as it was.
func (ses *session) narrowGuarded() error {
	for _, t := range ses.targets {
		if !t.guarded() {
			continue
		}
		_, err := ses.s.prepare(t)
		if err == nil {
			err = fsys.SyncDir(ses.s.fs, t.dir)
		}
		if err != nil {
			return fail(t.name, err)
		}
	}
	return nil
}

// lock resolves the files, takes their locks in order, and looks whether they
// still resolve to the same: a nearer workspace may have appeared meanwhile, or
// a symlink been turned.
func (ses *session) lock(names []string, need *participants, deadline time.Time) error {
	reqs := lockSet{}
	for _, name := range names {
		if err := ses.s.makeParents(ses.ctx, name, ses.call); err != nil {
			return err
		}
		t, err := ses.s.resolveBy(ses.ctx, name, lookup{create: true, made: &ses.call.made, passOver: ses.call.passOver})
		if err != nil {
			return err
		}
		if ses.find(t.real) != nil {
			continue
		}
		if mode, ok := ses.call.modes[t.real]; ok {
			t.most = &mode
		} else if ses.call.bringsBack && t.info == nil {
			if t.most, err = ses.s.formerMode(t); err != nil {
				return fail(name, err)
			}
		}
		ses.targets = append(ses.targets, t)
	}
	ses.narrowTransfer()
	ses.resolveExtra(need)
	if err := ses.noCopies(); err != nil {
		return err
	}
	for _, t := range ses.all() {
		a, err := ses.s.prepare(t)
		if errors.Is(err, fs.ErrNotExist) {
			return errors.Join(errAgain, fail(t.name, err)) // the workspace went away
		}
		if err == nil && !ses.call.shut {
			err = t.lost
		}
		if err != nil {
			return fail(t.name, err)
		}
		reqs.add(t, a, ses.call.lease)
	}
	held, err := ses.s.locks.Acquire(ses.ctx, max(0, time.Until(deadline)), reqs.list)
	if errors.Is(err, fs.ErrNotExist) {
		return errors.Join(errAgain, err) // the workspace went away
	}
	if err != nil {
		return fail("", err)
	}
	ses.held = held
	ses.waited = held.Waited()
	if err := ses.recheck(); err != nil {
		return err
	}
	ses.call.targets = ses.targets
	return ses.narrowGuarded()
}

// lockSet gathers the locks of files and, once each, of their workspaces.
type lockSet struct {
	list []lockmgr.Request
	seen map[wal.ID]bool
}

func (l *lockSet) add(t *target, a access, tx string) {
	if l.seen == nil {
		l.seen = map[wal.ID]bool{}
	}
	if !l.seen[t.ws.id] {
		l.seen[t.ws.id] = true
		l.list = append(l.list, t.ws.lockRequest(lockmgr.Shared, a.file))
	}
	l.list = append(l.list, t.lockRequest(a, tx))
}

func (ses *session) recheck() error {
	for _, t := range ses.all() {
		again, err := ses.s.resolveBy(ses.ctx, t.name, lookup{held: true, passOver: ses.call.passOver})
		if err != nil {
			return err
		}
		if again.ws == nil || again.ws.id != t.ws.id || again.real != t.real {
			return errAgain
		}
		t.info, t.parent, t.private = again.info, again.parent, again.private
	}
	return nil
}

// settle opens the journals, looks at the files, and lets recovery decide.
func (ses *session) settle(need *participants) error {
	var files []*recovery.File
	for _, t := range ses.all() {
		if err := ses.open(t); err != nil {
			return fail(t.name, err)
		}
		files = append(files, t.file)
	}
	if ses.clean() && !ses.call.sweep {
		return ses.readable()
	}
	plan, err := recovery.MakePlan(files, need.unreachable)
	var missing *recovery.MissingError
	if errors.As(err, &missing) {
		need.list = append(need.list, missing.Participants...)
		return errAgain
	}
	if d := ses.call.decide; err == nil && d != nil {
		var made bool
		if made, err = d.record(plan, files); made && err == nil {
			plan, err = recovery.MakePlan(files, need.unreachable)
		}
	}
	if err != nil {
		return fail("", err)
	}
	ses.recover(plan)
	for _, tell := range []func([]recovery.Done){ses.call.recovered, ses.s.opt.OnRecovery} {
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
	all := ses.all()
	before := make([]wal.LSN, len(all))
	for i, t := range all {
		before[i] = t.file.Log.State().Segment
	}
	ses.report = recovery.Apply(plan)
	for i, t := range all {
		_ = ses.s.tidy(ses.ctx, t, before[i]) // tried again with the next segment; a commit then tells
	}
}

// readable refuses a file that is no document, so that it can't be taken for one
// that is not there. A tracked one was reported as damaged before.
func (ses *session) readable() error {
	for _, t := range ses.targets {
		if t.file.Found.Err == nil || ses.call.mendDamage || ses.call.sweep {
			continue
		}
		begins, err := t.begins(&t.file.Found)
		if err == nil && !begins {
			err = t.file.Found.Err
		}
		if err != nil {
			return fail(t.name, err)
		}
	}
	return nil
}

// begins tells that what was found is blank, and that the file has no history: it is as
// good as none, and can be given a document.
func (t *target) begins(found *recovery.Found) (bool, error) {
	if !found.Blank() {
		return false, nil
	}
	newest, err := t.newest()
	return newest == nil, err
}

// clean tells that no file needs recovery: the common case, told by `state` and
// a hash.
func (ses *session) clean() bool {
	for _, t := range ses.all() {
		if !t.file.Log.Trusted() || t.file.Log.Cut().Bytes > 0 {
			return false
		}
		if !t.file.Log.Empty() && t.file.Found.Version != t.file.Log.State().Content {
			return false
		}
	}
	return true
}

func (ses *session) open(t *target) error {
	a, err := ses.s.accessFor(t)
	if err != nil {
		return err
	}
	log, found, err := ses.s.journal(t, a)
	if err != nil {
		return err
	}
	t.file = &recovery.File{
		FS: ses.s.fs, Key: t.key(), Former: t.formerKeys(), Dir: t.dir, Target: t.real,
		Journal: log, Log: log, Limits: ses.s.opt.Limits,
	}
	if t.stillThere(found) {
		t.file.Found = *found
		return nil
	}
	return t.file.Look()
}

// afterRecovery turns what recovery could not settle into an error, unless the
// caller wants to go on with a damaged file, and looks again at what it changed.
func (ses *session) afterRecovery() error {
	for _, done := range ses.report {
		t := ses.byKey(done.Key)
		var damage *recovery.DamagedError
		if errors.As(done.Err, &damage) && ses.call.mendDamage {
			continue
		}
		if errors.Is(done.Err, recovery.ErrChanged) {
			return errAgain
		}
		if done.Err != nil {
			return fail(t.name, done.Err)
		}
		// Replaced, or freed of a second link that a half-done rename left.
		if err := t.file.Look(); err != nil {
			return fail(t.name, err)
		}
	}
	return nil
}

// release closes the journals and gives the locks back.
func (ses *session) release() error {
	var errs []error
	for _, t := range ses.all() {
		if t.file != nil {
			errs = append(errs, t.file.Log.Close())
		}
	}
	if ses.held != nil {
		errs = append(errs, ses.held.Release())
	}
	return errors.Join(errs...)
}
