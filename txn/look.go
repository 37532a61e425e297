package txn

import (
	"context"
	"errors"
	"io/fs"
	"slices"
	"time"

	"github.com/jtx-project/jtx/lockmgr"
	"github.com/jtx-project/jtx/recover"
	"github.com/jtx-project/jtx/wal"
)

// This is the door for whoever only looks at files: a view, the history, a dry run,
// status. It writes nothing. What a crash or another program left is neither settled
// nor recorded: what the next change will make of it is worked out in memory, and a
// Mark says so.

// looking says how files are looked at.
type looking struct {
	// content reads what stands under the names, also where a file's times say that
	// it is what it was.
	content bool
	// alone keeps writers out while the caller reads, who goes through whole journals.
	alone bool
	// hasty waits for nobody: what is being written is ErrLockTimeout then.
	hasty bool
	// whole plans with every record, as recovery will, and not only with those that
	// count for somebody who is shown the files.
	whole bool
	// each lets a file that can't be looked at be, with its error, for the others'
	// sake, which are still looked at as they are at one moment.
	each bool
	// silent tells nobody of the marks: the caller says the same in its own way.
	silent bool
}

// races is how often files are looked at without a lock.
const races = 3

// atRest calls read with files as they all are at one moment, at which no commit was
// in progress in any of them. Their targets have a file, with the journal as far as it
// counts and, where it was looked at, what stands under the name; and a plan, where
// that is not just the newest version. While nobody writes no lock is taken. read may
// be called again, with other targets.
func (s *Store) atRest(ctx context.Context, targets []*target, how looking, read func([]*target) error) error {
	l := &look{looking: how, read: read}
	l.fileSet = fileSet{s: s, ctx: ctx, how: lookup{look: true, passed: &l.passed}, targets: targets}
	if len(targets) == 1 && targets[0].err != nil {
		return l.bytesAlone(targets[0].err)
	}
	err := l.together()
	switch {
	case err == nil || l.failed:
		return err
	case how.content && len(targets) == 1 && errors.Is(err, fs.ErrPermission):
		return l.bytesAlone(err)
	case how.each && ctx.Err() == nil:
		return l.theRest()
	}
	return err
}

// look is one look at some files.
type look struct {
	fileSet
	looking
	read   func([]*target) error
	before []position
	passed bool // a workspace that nobody has used yet was looked past
	failed bool // read did, of files that were at rest
}

func (l *look) together() error {
	for try := 0; try < races && !l.alone; try++ {
		if try > 0 {
			if err := l.resolveAgain(); err != nil {
				return err
			}
		}
		if done, err := l.unlocked(); done || err != nil {
			return err
		}
	}
	return l.locked()
}

// theRest finds out which files can't be looked at, and looks at the others, again all
// at one moment. read gets them all.
func (l *look) theRest() error {
	how := l.looking
	how.each, how.silent = false, true
	all := slices.Clone(l.targets)
	var good []*target
	var at []int // their places
	for i, t := range all {
		err := l.s.atRest(l.ctx, []*target{t}, how, func([]*target) error { return nil })
		if all[i].err = fail(t.name, err); err == nil {
			good, at = append(good, t), append(at, i)
		}
	}
	how.silent = l.silent
	return l.s.atRest(l.ctx, good, how, func(seen []*target) error {
		for i, t := range seen {
			all[at[i]] = t
		}
		return l.read(all)
	})
}

// bytesAlone is for somebody who may read the file and not its journal: of one file
// alone its bytes are as good an answer as any other program has.
func (l *look) bytesAlone(why error) error {
	t := l.targets[0]
	t.file, t.plan, t.err = l.s.fileAtRest(t, wal.State{}), nil, nil
	if err := t.file.Look(); err != nil {
		return why
	}
	if !l.silent {
		l.s.mark(Mark{File: t.name, Kind: MarkUnread, Err: why})
	}
	return l.read(l.targets)
}

// position is where a file stands in its history. The same position before and
// after reading its bytes, and those of other files, means that nothing was
// committed in between.
type position struct {
	last, applied wal.LSN
	gen           uint32
	pending       bool
	file          wal.FileID
}

// position tells where t stands. settled is false where a commit is in progress
// or was cut off: `state` is marked pending from before the first record of a
// unit until all its files are in place.
func (s *Store) position(t *target) (pos position, st wal.State, settled bool, err error) {
	pos, st, ok, err := s.stands(t)
	switch {
	case err != nil:
		return pos, st, false, err
	case !ok:
		tracked, err := s.tracked(t)
		return pos, st, !tracked, err
	case st.Boot == s.boot || st.Pending || t.ws == nil:
		return pos, st, !st.Pending, nil
	}
	settled, err = s.believed(t, st)
	return pos, st, settled, err
}

// stands is a position by what `state` says, whether or not that can be believed. ok
// is false where there is none.
func (s *Store) stands(t *target) (pos position, st wal.State, ok bool, err error) {
	pos.file, err = s.fs.LstatID(t.real)
	if err != nil && !errors.Is(err, fs.ErrNotExist) || t.ws == nil {
		return pos, st, true, ignoreNotExist(err)
	}
	if st, ok, err = wal.ReadState(s.fs, t.dir); err != nil {
		return pos, st, false, err
	}
	pos.last, pos.applied, pos.gen, pos.pending = st.Last, st.Applied, st.Gen, st.Pending
	return pos, st, ok, nil
}

// believed tells that another boot's `state` is as good as this one's to somebody who
// only looks: it was settled with a version whose name was durable before, and the
// journal ends with that very record. That the file holds it is for the caller to see.
func (s *Store) believed(t *target, st wal.State) (bool, error) {
	if st.Applied != st.Last {
		return false, nil
	}
	rec, err := wal.Tail(s.fs, t.dir, st)
	if err != nil || rec == nil {
		return false, ignoreNotExist(err)
	}
	return rec.Kind != wal.KindInPlace && rec.Flags&(wal.FlagLazy|wal.FlagNoDirSync) == 0, nil
}

// tracked tells whether the file has a journal at all, where it has no readable
// `state`.
func (s *Store) tracked(t *target) (bool, error) { return wal.Exists(s.fs, t.dir) }

// unlocked looks at all positions, reads, and looks at the positions again. It has
// not done it where a file is not settled, or stands elsewhere then.
func (l *look) unlocked() (done bool, err error) {
	settled, err := l.glance(false)
	if !settled || err != nil {
		return false, err
	}
	failed := l.read(l.targets)
	for i, t := range l.targets {
		after, _, _, err := l.s.stands(t)
		if err != nil {
			return false, fail(t.name, err)
		}
		if after != l.before[i] {
			return false, nil
		}
	}
	if l.passed {
		if same, err := l.unmoved(); !same || err != nil {
			return false, err
		}
	}
	return true, l.over(failed)
}

// over ends the look at files that were at rest while they were read.
func (l *look) over(failed error) error {
	if failed != nil {
		l.failed = true
		return failed
	}
	for _, t := range l.targets {
		if m, marked := markOf(t); marked && !l.silent {
			l.s.mark(m)
		}
	}
	return nil
}

// glance looks at the files by what `state` says. It is false where one is not
// settled; and, while they are not locked, where a journal seems to be gone.
func (l *look) glance(locked bool) (settled bool, err error) {
	l.before = make([]position, len(l.targets))
	var list []*target
	for i, t := range l.targets {
		pos, st, settled, err := l.s.position(t)
		if err != nil || !settled {
			return false, fail(t.name, err)
		}
		l.before[i] = pos
		if t.lost, err = l.s.journalGone(t, st); err != nil || t.lost != nil && !locked {
			return false, fail(t.name, err)
		}
		if t.lost != nil && (!l.content || l.whole) { // who shows the file alone needs no journal
			return false, fail(t.name, t.lost)
		}
		t.file, t.plan = l.s.fileAtRest(t, st), nil
		if l.content || st.Last > 0 && !untouched(pos.file, st) {
			list = append(list, t)
		}
	}
	if err := lookAt(list); err != nil {
		return false, err
	}
	for _, t := range list {
		st := t.file.Journal.State()
		switch {
		case st.Last == 0 || t.file.Found.Version == st.Content:
			continue
		case !t.file.Journal.Known():
			return false, nil // hashes are to decide, and they differ
		}
		plan, err := recovery.MakePlan([]*recovery.File{t.file}, nil)
		if err != nil {
			return false, fail(t.name, err)
		}
		t.plan, t.planned = plan.Of(t.key()), plan
	}
	return true, nil
}

// journalGone is damage where a file had a journal that is not there any more.
func (s *Store) journalGone(t *target, st wal.State) (damage, err error) {
	if t.ws == nil {
		return nil, nil
	}
	return isCorrupt(wal.Gone(s.fs, t.dir, st, s.boot))
}

// wasTracked is an error where a file without a journal had one.
func (s *Store) wasTracked(t *target) error {
	_, st, _, err := s.stands(t)
	if err != nil {
		return err
	}
	return wal.Gone(s.fs, t.dir, st, s.boot)
}

// fileAtRest is t with the journal that `state` tells of.
func (s *Store) fileAtRest(t *target, st wal.State) *recovery.File {
	f := &recovery.File{FS: s.fs, Dir: t.dir, Target: t.real, Limits: s.opt.Limits}
	if t.ws != nil {
		f.Key, f.Former = t.key(), t.formerKeys()
	}
	f.Journal = recovery.AtRest(s.fs, t.dir, st, s.boot)
	return f
}

// untouched tells by a file's times that nobody has changed it since jtx did. They say
// nothing of what happens within one step of the file system's clock, so a file that
// changed just now is read.
func untouched(file wal.FileID, st wal.State) bool {
	return file == st.File && (file == wal.FileID{} || time.Since(time.Unix(0, file.Mtime)) > steadyAge)
}

// lookAt reads what stands under the names.
func lookAt(targets []*target) error {
	files := make([]*recovery.File, len(targets))
	for i, t := range targets {
		files[i] = t.file
	}
	for i, err := range recovery.LookAll(files) {
		if err != nil {
			return fail(targets[i].name, err)
		}
	}
	return nil
}

// resolveAgain looks the files up anew: a nearer workspace may have appeared, or a
// symbolic link been turned.
func (l *look) resolveAgain() error {
	next := make([]*target, len(l.targets))
	for i, t := range l.targets {
		again, err := l.s.resolveBy(l.ctx, t.name, l.how)
		if err != nil {
			return err
		}
		next[i] = again
	}
	l.targets = next
	return nil
}

// unmoved tells that the files still are where they were when they were resolved.
func (l *look) unmoved() (bool, error) {
	for _, t := range l.all() {
		again, err := l.s.resolveBy(l.ctx, t.name, l.how)
		if err != nil {
			return false, err
		}
		if again.real != t.real || (again.ws == nil) != (t.ws == nil) || t.ws != nil && again.ws.id != t.ws.id {
			return false, nil
		}
	}
	return true, nil
}

// locked waits for those who write the files, and reads under shared locks: of the
// files, and of all others of a unit that was cut off.
func (l *look) locked() error {
	deadline := time.Now()
	if !l.hasty {
		deadline = deadline.Add(l.s.patience())
	}
	need := &participants{unreachable: map[recovery.Key]error{}}
	for range maxRounds {
		if done, err := l.round(need, deadline); done || err != nil {
			return err
		}
		if l.ctx.Err() != nil {
			return context.Cause(l.ctx)
		}
		if err := l.resolveAgain(); err != nil {
			return err
		}
		l.extra = nil
		l.resolveExtra(need)
	}
	return &Error{Kind: ErrConflict, Err: errorf("the files changed during each of %d looks at them", maxRounds)}
}

func (l *look) round(need *participants, deadline time.Time) (done bool, err error) {
	reqs, err := l.requests(need)
	if err != nil {
		return false, err
	}
	held, err := l.s.locks.Acquire(l.ctx, max(0, time.Until(deadline)), reqs)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil // the workspace went away
	}
	if err != nil {
		return false, fail("", err)
	}
	defer func() { err = errors.Join(err, held.Release()) }()
	if same, err := l.unmoved(); !same || err != nil {
		return false, err
	}
	if planned, err := l.plan(need); !planned || err != nil {
		return false, err
	}
	return true, l.over(l.read(l.targets))
}

// requests asks for the locks that are there: a file without one has never been
// locked, so that nothing is in progress. Another participant whose lock can't be
// opened can't be looked at.
func (l *look) requests(need *participants) ([]lockmgr.Request, error) {
	var reqs []lockmgr.Request
	for _, t := range l.all() {
		if t.ws == nil {
			continue
		}
		r := t.lockRequest(access{file: 0o600}, "")
		r.Mode = lockmgr.Shared
		_, err := l.s.fs.Lstat(r.Path)
		switch {
		case err == nil:
			reqs = append(reqs, r)
		case errors.Is(err, fs.ErrNotExist):
		case slices.Contains(l.extra, t):
			need.unreachable[t.key()] = err
		default:
			return nil, fail(t.name, err)
		}
	}
	return reqs, nil
}

// plan works out what recovery would make of the files. It is false where others have
// to be locked for that.
func (l *look) plan(need *participants) (planned bool, err error) {
	settled, err := l.glance(true)
	if settled || err != nil {
		return settled, err
	}
	list, err := l.open(need)
	if err == nil {
		err = lookAt(list)
	}
	if err != nil {
		return false, err
	}
	var files []*recovery.File
	for _, t := range list {
		if t.ws != nil {
			files = append(files, t.file)
		}
	}
	// Which others have to be asked is known only while every record counts.
	if planned, err = l.planWith(files, need); !planned || err != nil || l.whole {
		return planned, err
	}
	if err := recovery.Lasting(files); err != nil {
		return false, fail("", err)
	}
	return l.planWith(files, need)
}

// open opens the journals of those that are not settled, and lists the files that can
// be looked at.
func (l *look) open(need *participants) (list []*target, err error) {
	for _, t := range l.all() {
		_, st, settled, err := l.s.position(t)
		if err == nil {
			t.file = l.s.fileAtRest(t, st)
			if !settled || !t.file.Journal.Known() {
				t.file.Journal, err = l.s.peek(t)
			}
		}
		switch {
		case err == nil:
			list = append(list, t)
		case slices.Contains(l.extra, t):
			need.unreachable[t.key()] = err
		default:
			return nil, fail(t.name, err)
		}
	}
	return list, nil
}

// peek opens the whole journal of a file, for looking.
func (s *Store) peek(t *target) (recovery.Journal, error) {
	if t.ws == nil {
		return recovery.AtRest(s.fs, t.dir, wal.State{}, s.boot), nil
	}
	return recovery.Peek(s.fs, t.dir, s.boot)
}

func (l *look) planWith(files []*recovery.File, need *participants) (planned bool, err error) {
	plan, err := recovery.MakePlan(files, need.unreachable)
	var missing *recovery.MissingError
	if errors.As(err, &missing) {
		need.list = append(need.list, missing.Participants...)
		return false, nil
	}
	if err != nil {
		return false, fail("", err)
	}
	for _, t := range l.targets {
		t.plan = nil
		if t.ws == nil {
			continue
		}
		if fp := plan.Of(t.key()); fp.InDoubt || fp.Case.Action != recovery.Nothing {
			t.plan, t.planned = fp, plan
		}
	}
	return true, nil
}
