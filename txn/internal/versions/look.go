package versions

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"time"

	"github.com/jtx-project/jtx/lockmgr"
	"github.com/jtx-project/jtx/recover"
	"github.com/jtx-project/jtx/txn/internal/fault"
	"github.com/jtx-project/jtx/txn/internal/workspace"
	"github.com/jtx-project/jtx/wal"
)

// This is the door for whoever only looks at files: a view, the history, a dry run,
// status. It writes nothing. What a crash or another program left is neither settled
// nor recorded: what the next change will make of it is worked out in memory, and a
// Mark says so.

// Looking says how files are looked at.
type Looking struct {
	// Content reads what stands under the names, also where a file's times say that
	// it is what it was.
	Content bool
	// Alone keeps writers out while the caller goes through whole journals.
	Alone bool
	// Hasty waits for nobody: what is being written is ErrLockTimeout then.
	Hasty bool
	// Whole plans with every record, as recovery will, and not only with those that
	// count for somebody who is shown the files.
	Whole bool
	// Each lets a file that can't be looked at be, with its error, for the others'
	// sake, which are still looked at as they are at one moment.
	Each bool
	// Silent tells nobody of the marks: the caller says the same in its own way.
	Silent bool
	// lockless makes many files that are being written errBusy, and locks none.
	lockless bool
}

// races is how often files are looked at without a lock.
const races = 3

// AtRest calls read with files as they all are at one moment, at which no commit was
// in progress in any of them. Their targets have a file, with the journal as far as it
// counts and, where it was looked at, what stands under the name; and a plan, where
// that is not just the newest version. While nobody writes no lock is taken. read may
// be called again, with other targets.
func (s *Source) AtRest(ctx context.Context, targets []*workspace.Target, how Looking, read func([]*workspace.Target) error) error {
	l := &look{s: s, Looking: how, read: read}
	l.FileSet = workspace.FileSet{Site: s.Site, Ctx: ctx, How: workspace.Lookup{Look: true, Passed: &l.passed}, Targets: targets}
	if len(targets) == 1 && targets[0].Err != nil {
		return l.bytesAlone(targets[0].Err)
	}
	err := l.together()
	switch {
	case err == nil || l.failed:
		return err
	case how.Content && len(targets) == 1 && errors.Is(err, fs.ErrPermission):
		return l.bytesAlone(err)
	case how.Each && ctx.Err() == nil && !errors.Is(err, errBusy):
		return l.theRest()
	}
	return err
}

// look is one look at some files.
type look struct {
	workspace.FileSet
	s *Source
	Looking
	read   func([]*workspace.Target) error
	before []workspace.Position
	passed bool // a workspace that nobody has used yet was looked past
	failed bool // read did, of files that were at rest
}

func (l *look) together() error {
	many := len(l.Targets) > manyFiles
	for try := 0; try < races && !l.Alone; try++ {
		if many && try > 0 {
			break // a look at so many takes long, and is lost again
		}
		if try > 0 {
			if err := l.resolveAgain(); err != nil {
				return err
			}
		}
		if done, err := l.unlocked(); done || err != nil {
			return err
		}
	}
	if many && l.lockless {
		return errBusy
	}
	return l.locked()
}

// theRest finds out which files can't be looked at, and looks at the others, again all
// at one moment. read gets them all.
func (l *look) theRest() error {
	how := l.Looking
	how.Each, how.Silent = false, true
	all := slices.Clone(l.Targets)
	var good []*workspace.Target
	var at []int // their places
	for i, t := range all {
		if t.Err != nil {
			continue // it is known already
		}
		err := l.s.AtRest(l.Ctx, []*workspace.Target{t}, how, func([]*workspace.Target) error { return nil })
		if all[i].Err = fault.In(t.Name, err); err == nil {
			good, at = append(good, t), append(at, i)
		}
	}
	how.Silent = l.Silent
	return l.s.AtRest(l.Ctx, good, how, func(seen []*workspace.Target) error {
		for i, t := range seen {
			all[at[i]] = t
		}
		return l.read(all)
	})
}

// bytesAlone is for somebody who may read the file and not its journal: of one file
// alone its bytes are as good an answer as any other program has.
func (l *look) bytesAlone(why error) error {
	t := l.Targets[0]
	t.File, t.Plan, t.Err = l.s.fileAtRest(t, wal.State{}), nil, nil
	if err := t.File.Look(); err != nil {
		return why
	}
	if !l.Silent {
		l.s.Mark(Mark{File: t.Name, Kind: MarkUnread, Err: why})
	}
	return l.read(l.Targets)
}

// unlocked looks at all positions, reads, and looks at the positions again. It has
// not done it where a file is not settled, or stands elsewhere then.
func (l *look) unlocked() (done bool, err error) {
	settled, err := l.glance(false)
	if !settled || err != nil {
		return false, err
	}
	failed := l.read(l.Targets)
	for i, t := range l.Targets {
		after, _, _, err := l.s.Stands(t)
		if err != nil {
			return false, fault.In(t.Name, err)
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
	for _, t := range l.Targets {
		if m, marked := markOf(t); marked && !l.Silent {
			l.s.Mark(m)
		}
	}
	return nil
}

// glance looks at the files by what `state` says. It is false where one is not
// settled; and, while they are not locked, where a journal seems to be gone.
func (l *look) glance(locked bool) (settled bool, err error) {
	l.before = make([]workspace.Position, len(l.Targets))
	var list []*workspace.Target
	for i, t := range l.Targets {
		pos, st, settled, err := l.s.Position(t)
		if err != nil || !settled {
			return false, fault.In(t.Name, err)
		}
		l.before[i] = pos
		if t.Lost, err = l.s.journalGone(t, st); err != nil || t.Lost != nil && !locked {
			return false, fault.In(t.Name, err)
		}
		if t.Lost != nil && (!l.Content || l.Whole) { // who shows the file alone needs no journal
			return false, fault.In(t.Name, t.Lost)
		}
		t.File, t.Plan = l.s.fileAtRest(t, st), nil
		if l.Content || st.Last > 0 && !workspace.Untouched(pos.File, st) {
			list = append(list, t)
		}
	}
	if err := lookAt(list); err != nil {
		return false, err
	}
	for _, t := range list {
		st := t.File.Journal.State()
		switch {
		case st.Last == 0 || t.File.Found.Version == st.Content:
			continue
		case !t.File.Journal.Known():
			return false, nil // hashes are to decide, and they differ
		}
		plan, err := recovery.MakePlan([]*recovery.File{t.File}, nil)
		if err != nil {
			return false, fault.In(t.Name, err)
		}
		t.Plan, t.Planned = plan.Of(t.Key()), plan
	}
	return true, nil
}

// journalGone is damage where a file had a journal that is not there any more.
func (s *Source) journalGone(t *workspace.Target, st wal.State) (damage, err error) {
	if t.WS == nil {
		return nil, nil
	}
	return workspace.IsCorrupt(wal.Gone(s.FS, t.Dir, st, s.Boot))
}

// fileAtRest is t with the journal that `state` tells of.
func (s *Source) fileAtRest(t *workspace.Target, st wal.State) *recovery.File {
	f := &recovery.File{FS: s.FS, Dir: t.Dir, Target: t.Real, Limits: s.Limits}
	if t.WS != nil {
		f.Key, f.Former = t.Key(), t.FormerKeys()
	}
	f.Journal = recovery.AtRest(s.FS, t.Dir, st, s.Boot)
	return f
}

// lookAt reads what stands under the names.
func lookAt(targets []*workspace.Target) error {
	files := make([]*recovery.File, len(targets))
	for i, t := range targets {
		files[i] = t.File
	}
	for i, err := range recovery.LookAll(files) {
		if err != nil {
			return fault.In(targets[i].Name, err)
		}
	}
	return nil
}

// resolveAgain looks the files up anew: a nearer workspace may have appeared, or a
// symbolic link been turned.
func (l *look) resolveAgain() error {
	next := make([]*workspace.Target, len(l.Targets))
	for i, t := range l.Targets {
		again, err := l.s.ResolveBy(l.Ctx, t.Name, l.How)
		if err != nil {
			return err
		}
		next[i] = again
	}
	l.Targets = next
	return nil
}

// unmoved tells that the files still are where they were when they were resolved.
func (l *look) unmoved() (bool, error) {
	for _, t := range l.All() {
		again, err := l.s.ResolveBy(l.Ctx, t.Name, l.How)
		if err != nil {
			return false, err
		}
		if again.Real != t.Real || (again.WS == nil) != (t.WS == nil) || t.WS != nil && again.WS.ID != t.WS.ID {
			return false, nil
		}
	}
	return true, nil
}

// locked waits for those who write the files, and reads under shared locks: of the
// files, and of all others of a unit that was cut off.
func (l *look) locked() error {
	deadline := time.Now()
	if !l.Hasty {
		deadline = deadline.Add(l.s.Patience())
	}
	need := &workspace.Participants{Unreachable: map[recovery.Key]error{}}
	for range workspace.MaxRounds {
		if done, err := l.round(need, deadline); done || err != nil {
			return err
		}
		if l.Ctx.Err() != nil {
			return context.Cause(l.Ctx)
		}
		if err := l.resolveAgain(); err != nil {
			return err
		}
		l.Extra = nil
		l.ResolveExtra(need)
	}
	return &fault.Error{Kind: fault.ErrConflict, Err: fmt.Errorf("the files changed during each of %d looks at them", workspace.MaxRounds)}
}

func (l *look) round(need *workspace.Participants, deadline time.Time) (done bool, err error) {
	reqs, err := l.requests(need)
	if err != nil {
		return false, err
	}
	held, err := l.s.Locks.Acquire(l.Ctx, max(0, time.Until(deadline)), reqs)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil // the workspace went away
	}
	if err != nil {
		return false, fault.In("", err)
	}
	defer func() { err = errors.Join(err, held.Release()) }()
	if same, err := l.unmoved(); !same || err != nil {
		return false, err
	}
	if planned, err := l.plan(need); !planned || err != nil {
		return false, err
	}
	return true, l.over(l.read(l.Targets))
}

// requests asks for the locks that are there: a file without one has never been
// locked, so that nothing is in progress. Another participant whose lock can't be
// opened can't be looked at. Of many files it is their workspaces that are locked.
func (l *look) requests(need *workspace.Participants) ([]lockmgr.Request, error) {
	if len(l.All()) > manyFiles {
		return l.s.workspaceRequests(l.All())
	}
	var reqs []lockmgr.Request
	for _, t := range l.All() {
		if t.WS == nil {
			continue
		}
		r := t.LockRequest(workspace.Access{File: 0o600}, "")
		r.Mode = lockmgr.Shared
		_, err := l.s.FS.Lstat(r.Path)
		switch {
		case err == nil:
			reqs = append(reqs, r)
		case errors.Is(err, fs.ErrNotExist):
		case slices.Contains(l.Extra, t):
			need.Unreachable[t.Key()] = err
		default:
			return nil, fault.In(t.Name, err)
		}
	}
	return reqs, nil
}

// plan works out what recovery would make of the files. It is false where others have
// to be locked for that.
func (l *look) plan(need *workspace.Participants) (planned bool, err error) {
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
		if t.WS != nil {
			files = append(files, t.File)
		}
	}
	// Which others have to be asked is known only while every record counts.
	if planned, err = l.planWith(files, need); !planned || err != nil || l.Whole {
		return planned, err
	}
	var doubts []func()
	for _, t := range l.Targets {
		if plan, of := t.Plan, t.Planned; plan != nil && plan.InDoubt {
			doubts = append(doubts, func() { t.Plan, t.Planned = plan, of })
		}
	}
	if err := recovery.Lasting(files); err != nil {
		return false, fault.In("", err)
	}
	planned, err = l.planWith(files, need)
	for _, goesOn := range doubts {
		goesOn() // though a power cut could take the record, nobody has taken it back
	}
	return planned, err
}

// open opens the journals of those that are not settled, and lists the files that can
// be looked at.
func (l *look) open(need *workspace.Participants) (list []*workspace.Target, err error) {
	for _, t := range l.All() {
		_, st, settled, err := l.s.Position(t)
		if err == nil {
			t.File = l.s.fileAtRest(t, st)
			if !settled || !t.File.Journal.Known() {
				t.File.Journal, err = l.s.peek(t)
			}
		}
		switch {
		case err == nil:
			list = append(list, t)
		case slices.Contains(l.Extra, t):
			need.Unreachable[t.Key()] = err
		default:
			return nil, fault.In(t.Name, err)
		}
	}
	return list, nil
}

// peek opens the whole journal of a file, for looking.
func (s *Source) peek(t *workspace.Target) (recovery.Journal, error) {
	if t.WS == nil {
		return recovery.AtRest(s.FS, t.Dir, wal.State{}, s.Boot), nil
	}
	return recovery.Peek(s.FS, t.Dir, s.Boot)
}

func (l *look) planWith(files []*recovery.File, need *workspace.Participants) (planned bool, err error) {
	plan, err := recovery.MakePlan(files, need.Unreachable)
	var missing *recovery.MissingError
	if errors.As(err, &missing) {
		need.List = append(need.List, missing.Participants...)
		return false, nil
	}
	if err != nil {
		return false, fault.In("", err)
	}
	for _, t := range l.Targets {
		t.Plan = nil
		if t.WS == nil {
			continue
		}
		if fp := plan.Of(t.Key()); fp.InDoubt || fp.Case.Action != recovery.Nothing {
			t.Plan, t.Planned = fp, plan
		}
	}
	return true, nil
}
