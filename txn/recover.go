package txn

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/jtx-project/jtx/lockmgr"
	"github.com/jtx-project/jtx/recover"
	"github.com/jtx-project/jtx/wal"
	"github.com/jtx-project/jtx/wal/fsys"
)

// DefaultTxTTL is how long an open transaction is kept before a sweep discards
// it.
const DefaultTxTTL = 24 * time.Hour

// RecoverOptions of a sweep.
type RecoverOptions struct {
	// DryRun reports what would be done, and does nothing.
	DryRun bool
	// TTL is the age from which open transactions are discarded; DefaultTxTTL
	// if 0.
	TTL time.Duration
	// Progress is called after each file.
	Progress func(done, total int, file string)
}

// RecoverReport is what a sweep found and did.
type RecoverReport struct {
	Files   []FileReport // those with something to report, by path
	Total   int          // tracked files looked at
	Begun   []string     // protected files whose history begins
	Deleted []string     // protected files that another program removed: Heal brings them back
	Expired []OpenTxInfo // open transactions discarded
	Open    []OpenTxInfo // open transactions kept
	Removed []string     // leftovers removed
}

// FileReport is what a sweep found in one file.
type FileReport struct {
	File string
	Done []recovery.Done
	Err  error // what could not be settled
}

// Recover settles every tracked file below the paths (a file, or a directory with
// everything below it), discards open transactions past their time, and removes
// what crashes left lying about. It goes on past an error in one file, which is
// in the report, and past an open transaction that is damaged and settings that
// can't be read, which are errors. Whatever it does is also done, file by file, by whoever next
// uses one through jtx.
func (s *Store) Recover(ctx context.Context, paths []string, o RecoverOptions) (RecoverReport, error) {
	var r RecoverReport
	sc, skipped, err := s.scopeBeside(ctx, paths)
	if err != nil {
		return r, err
	}
	r.Total = len(sc.files)
	for i, t := range sc.files {
		if ctx.Err() != nil {
			return r, context.Cause(ctx)
		}
		fr := s.recoverFile(ctx, t, o.DryRun)
		if fr.Err != nil || len(fr.Done) > 0 {
			r.Files = append(r.Files, fr)
		}
		if o.Progress != nil {
			o.Progress(i+1, len(sc.files), t.real)
		}
	}
	err = errors.Join(skipped, s.beginProtected(ctx, sc, o.DryRun, &r))
	if o.TTL == 0 {
		o.TTL = DefaultTxTTL
	}
	err = errors.Join(err, s.sweepTxs(ctx, sc, o, &r))
	for _, w := range sc.workspaces {
		err = errors.Join(err, s.sweepUnfinished(w, o.DryRun, &r))
	}
	for _, t := range sc.never {
		err = errors.Join(err, s.sweepStaged(ctx, t, o.DryRun, &r))
	}
	return r, err
}

// sweepStaged removes what was staged for a file that then was not made.
func (s *Store) sweepStaged(ctx context.Context, t *target, dryRun bool, r *RecoverReport) error {
	staged := recovery.Temp(t.real)
	if _, err := s.fs.Lstat(staged); err != nil {
		return fail(staged, ignoreNotExist(err))
	}
	if !dryRun {
		if fr := s.recoverFile(ctx, t, false); fr.Err != nil {
			return fr.Err
		}
		if _, err := s.fs.Lstat(staged); err == nil {
			return nil // somebody is making it
		}
	}
	r.Removed = append(r.Removed, staged)
	return nil
}

// beginProtected takes the first image of the protected files that have none.
func (s *Store) beginProtected(ctx context.Context, sc *scope, dryRun bool, r *RecoverReport) error {
	list, unset := s.protectionsIn(sc)
	names, err := s.unrecorded(ctx, sc, list)
	if err == nil {
		r.Deleted, err = s.deletedAmong(sc, list)
	}
	if err != nil {
		return errors.Join(unset, err)
	}
	r.Total += len(names)
	for _, name := range names {
		began, err := true, error(nil)
		if dryRun {
			err = s.unreadableProtected(ctx, name)
		} else {
			began, err = s.trackGood(ctx, name)
		}
		if err != nil {
			r.Files = append(r.Files, FileReport{File: name, Err: err})
		} else if began {
			r.Begun = append(r.Begun, name)
		}
	}
	return unset
}

// recoverFile settles one file. Cases in which nothing had to be done are left
// out of the report.
func (s *Store) recoverFile(ctx context.Context, t *target, dryRun bool) FileReport {
	fr := FileReport{File: t.real}
	if !s.leadsHere(t) {
		return fr
	}
	var report []recovery.Done
	if dryRun {
		report, fr.Err = s.planFile(ctx, t)
	} else {
		how := locking{sweep: true, recovered: func(done []recovery.Done) { report = done }}
		// A lease keeps others from changing the file; settling changes nothing that
		// is committed, and need not wait until the lease has ended.
		if l, leased, err := lockmgr.ReadLease(filepath.Join(t.dir, lockName)); err == nil && leased {
			how.lease = l.Tx
		}
		fr.Err = s.locked(ctx, []string{t.real}, how, nothing)
	}
	for _, d := range report {
		if d.Action != recovery.Nothing || d.Err != nil || d.Cut.Bytes > 0 && !d.Cut.Blank || !d.Unit.IsZero() {
			fr.Done = append(fr.Done, d)
		}
	}
	return fr
}

// planFile is what recovery would report of a file.
func (s *Store) planFile(ctx context.Context, t *target) (report []recovery.Done, err error) {
	err = s.atRest(ctx, []*target{t}, looking{content: true, whole: true, silent: true}, func(seen []*target) error {
		report = nil
		if seen[0].plan != nil {
			report = seen[0].planned.Report()
		}
		return nil
	})
	return report, fail(t.real, err)
}

// builtName tells what is in the name of a workspace that is being built, or removed.
func builtName(name string) (wal.ID, bool) {
	name, ok := strings.CutPrefix(name, metaDir+".")
	if !ok {
		return wal.ID{}, false
	}
	name, ok = strings.CutSuffix(name, ".tmp")
	id, err := wal.ParseID(name)
	return id, ok && err == nil
}

// settleBelow settles the files of w that a nearer workspace is about to take over. Files that were damaged outside stay so, and are returned.
func (s *Store) settleBelow(ctx context.Context, w *workspace, meta string) (damaged map[string]bool, err error) {
	open, err := s.unsettledBelow(w, meta)
	if err != nil {
		return nil, err
	}
	damaged = map[string]bool{}
	for _, t := range open {
		err := s.locked(ctx, []string{t.real}, locking{passOver: meta, sweep: true}, nothing)
		if errors.Is(err, ErrDamaged) {
			damaged[t.real] = true
		} else if err != nil {
			return nil, err
		}
	}
	return damaged, nil
}

// unsettledBelow lists the files of w whose commit may have been cut off, and which a
// nearer workspace is about to take over.
func (s *Store) unsettledBelow(w *workspace, meta string) ([]*target, error) {
	files, err := s.filesFor(w, meta)
	if err != nil {
		return nil, err
	}
	var open []*target
	for _, t := range files {
		if !s.leadsHere(t) {
			continue
		}
		_, _, settled, err := s.position(t)
		if err != nil {
			return nil, err
		}
		if !settled {
			open = append(open, t)
		}
	}
	return open, nil
}

// filesFor lists the files of w that are below another workspace, and for it.
func (s *Store) filesFor(w *workspace, meta string) ([]*target, error) {
	files, err := s.trackedFiles(w)
	if err != nil {
		return nil, err
	}
	dir := filepath.Dir(meta)
	var list []*target
	for _, t := range files {
		if !below(t.real, dir) {
			continue
		}
		info, _ := s.fs.Lstat(t.real) // of what can't be looked at it is the caller's
		name, err := s.metaName(dir, s.userOf(info))
		if err != nil {
			return nil, err
		}
		if name == filepath.Base(meta) {
			list = append(list, t)
		}
	}
	return list, nil
}

// scope is what some paths cover.
type scope struct {
	under      []string // the paths themselves, real ones
	workspaces []*workspace
	files      []*target // by real path
	never      []*target // only locked, by somebody who then did not make them
	skipped    []error   // of workspaces and files that can't be used
}

// scope is scopeBeside for those that have nothing to return beside an error.
func (s *Store) scope(ctx context.Context, paths []string) (*scope, error) {
	sc, skipped, err := s.scopeBeside(ctx, paths)
	return sc, errors.Join(err, skipped)
}

// scopeBeside finds the workspaces at, above and below the paths, and the tracked files
// that are at or below them. What can't be used of these is skipped: that is told, or
// returned where there is nobody to tell.
func (s *Store) scopeBeside(ctx context.Context, paths []string) (_ *scope, skipped, err error) {
	sc, err := s.findScope(ctx, paths)
	if err != nil {
		return nil, nil, err
	}
	if s.opt.OnSkipped == nil {
		return sc, joined(sc.skipped), nil
	}
	for _, err := range sc.skipped {
		s.opt.OnSkipped(err)
	}
	return sc, nil, nil
}

func (s *Store) findScope(ctx context.Context, paths []string) (*scope, error) {
	if len(paths) == 0 {
		paths = []string{"."}
	}
	sc := &scope{}
	seen := map[string]bool{}
	for _, p := range paths {
		real, err := realPath(s.fs, s.abs(p))
		if err != nil {
			return nil, fail(p, err)
		}
		sc.under = append(sc.under, real)
		roots, err := sc.workspacesAround(ctx, s, real)
		if err != nil {
			return nil, fail(p, err)
		}
		for _, w := range roots {
			if !seen[w.meta()] {
				seen[w.meta()] = true
				sc.workspaces = append(sc.workspaces, w)
			}
			sc.addFiles(ctx, s, w, real)
		}
	}
	slices.SortFunc(sc.files, func(a, b *target) int { return compare(a.real, b.real) })
	sc.files = slices.CompactFunc(sc.files, func(a, b *target) bool { return a.real == b.real && a.ws.meta() == b.ws.meta() })
	return sc, nil
}

func (sc *scope) addFiles(ctx context.Context, s *Store, w *workspace, under string) {
	files, err := s.trackedFiles(w)
	if err != nil {
		sc.skip(w.meta(), err)
	}
	ignored, err := s.ignored(w)
	if err != nil {
		ignored = Protection{} // said by what reads the settings; here nothing is left out
	}
	for _, t := range files {
		if !below(t.real, under) || ignored.leavesOut(t.real, under) {
			continue
		}
		if s.neverWas(t) {
			sc.never = append(sc.never, t)
			continue
		}
		near, err := s.homeOf(ctx, t)
		if err != nil {
			sc.skip(t.real, err)
			continue
		}
		if near != nil && near.meta() == w.meta() { // else a nearer workspace has taken it over
			sc.files = append(sc.files, t)
		}
	}
}

// skip notes what can't be used, once.
func (sc *scope) skip(name string, err error) {
	err = fail(name, err)
	if !slices.ContainsFunc(sc.skipped, func(other error) bool { return other.Error() == err.Error() }) {
		sc.skipped = append(sc.skipped, err)
	}
}

// homeOf finds the workspace that covers a tracked file.
func (s *Store) homeOf(ctx context.Context, t *target) (*workspace, error) {
	info, _ := s.fs.Lstat(t.real) // of what can't be looked at it is the caller's
	dir := filepath.Dir(t.real)
	return s.nearest(ctx, dir, dir, lookup{uid: s.userOf(info), look: true})
}

// neverWas tells of a file that was only locked, by somebody who then did not make
// it: its lock stays, since a lock file is never unlinked, and means nothing.
func (s *Store) neverWas(t *target) bool {
	if _, err := s.fs.Lstat(t.real); !errors.Is(err, fs.ErrNotExist) {
		return false
	}
	known, err := s.tracked(t)
	if known || err != nil || s.wasTracked(t) != nil {
		return false
	}
	l, leased, err := lockmgr.ReadLease(filepath.Join(t.dir, lockName))
	if err != nil || !leased {
		return err == nil
	}
	over, _ := l.Broken(time.Now())
	return over
}

// below tells whether path is dir or in it.
func below(path, dir string) bool {
	rel, err := filepath.Rel(dir, path)
	return err == nil && (rel == "." || filepath.IsLocal(rel))
}

// workspacesAround finds the workspace that covers path, and those below it.
func (sc *scope) workspacesAround(ctx context.Context, s *Store, path string) ([]*workspace, error) {
	info, err := s.fs.Stat(path)
	isDir := err == nil && info.IsDir()
	dir := path
	if !isDir {
		dir = filepath.Dir(path)
	}
	var found []*workspace
	uid := os.Geteuid()
	if !isDir {
		uid = s.userOf(info)
	}
	w, err := s.nearest(ctx, dir, dir, lookup{uid: uid, look: true})
	if err != nil {
		sc.skip(path, err)
	}
	if w != nil {
		found = append(found, w)
	}
	if !isDir {
		return found, nil
	}
	err = filepath.WalkDir(path, func(at string, e fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrPermission), errors.Is(err, fs.ErrNotExist) && at != path:
			return fs.SkipDir // or removed meanwhile
		case err != nil:
			return err
		case fsys.IsMeta(e.Name()):
		case !e.IsDir():
			return nil
		case e.Name() == ".git":
			return fs.SkipDir
		default:
			return ctx.Err()
		}
		w, err := s.readNamed(filepath.Dir(at), e.Name(), s.userOfMeta(at))
		if err != nil && !errors.Is(err, errInactive) {
			sc.skip(filepath.Dir(at), err)
		}
		if !e.IsDir() {
			return nil
		}
		if w != nil && !slices.ContainsFunc(found, func(f *workspace) bool { return f.meta() == w.meta() }) {
			found = append(found, w)
		}
		return fs.SkipDir
	})
	return found, err
}

// trackedFiles lists what a workspace has a journal directory for. With an error it
// lists the others.
func (s *Store) trackedFiles(w *workspace) ([]*target, error) {
	entries, err := s.fs.ReadDir(filepath.Join(w.meta(), filesDir))
	if err != nil {
		return nil, err
	}
	var files []*target
	var errs []error
	for _, e := range entries {
		rel, err := s.relOf(w, e.Name())
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, errNoJournal) {
			continue // its first lock is being taken, or it is none of ours
		}
		if err != nil {
			errs = append(errs, err)
			continue
		}
		real := filepath.Join(w.root, filepath.FromSlash(rel))
		files = append(files, &target{name: real, real: real, ws: w, rel: rel, dir: w.fileDir(rel)})
	}
	return files, joined(errs)
}

var errNoJournal = errors.New("not the name of a journal")

// leadsHere is false where a directory on the way to a tracked file has become a
// symbolic link: what is there now is another file, perhaps outside of the
// workspace, and nothing of this one's is written to it.
func (s *Store) leadsHere(t *target) bool {
	dir, err := realDir(filepath.Dir(t.real))
	return err == nil && dir == filepath.Dir(t.real)
}

// relOf is the path of the file that a journal directory belongs to.
func (s *Store) relOf(w *workspace, name string) (string, error) {
	rel := ""
	if strings.HasPrefix(name, "%%") {
		data, err := fsys.ReadAtMost(s.fs, filepath.Join(w.meta(), filesDir, name, pathName), maxPath)
		if err != nil {
			return "", err
		}
		rel = string(data)
	} else {
		var err error
		if rel, err = unescape(name); err != nil {
			return "", fmt.Errorf("%w: %v", errNoJournal, err)
		}
		if again, _ := escape(rel); again != name || !validRel(rel) {
			return "", errNoJournal
		}
	}
	if again, _ := escape(rel); again != name || !validRel(rel) {
		return "", fmt.Errorf("%s: %q is not the name of a file in this workspace", w.meta(), name)
	}
	return rel, nil
}
