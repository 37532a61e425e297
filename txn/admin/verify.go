package admin

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jtx-project/jtx/recover"
	"github.com/jtx-project/jtx/txn"
	"github.com/jtx-project/jtx/txn/internal/fault"
	"github.com/jtx-project/jtx/txn/internal/versions"
	"github.com/jtx-project/jtx/txn/internal/workspace"
	"github.com/jtx-project/jtx/wal"
)

// VerifyOptions of a check.
type VerifyOptions struct {
	// Progress is called after each file.
	Progress func(done, total int, file string)
}

// VerifyResult is what the check of one file found.
type VerifyResult struct {
	File    string
	Rev     uint64
	Records int
	Bytes   int64 // of the journal
	// Foreign tells that the file holds a valid edit made outside jtx, which
	// the next access records; Deleted, that the edit was to remove it.
	Foreign, Deleted bool
	// Untracked tells that the file is protected, and that no version of it is
	// recorded yet: the next change, or Recover, takes the first.
	Untracked bool
	// Unfinished tells that a commit was cut off; jtx recover settles it.
	Unfinished bool
	// Exposed tells that more people may read the journal than the file, whose mode
	// was narrowed since; the next writer, or Recover, narrows the journal's.
	Exposed bool
	// Unread are notices of what became of the file, oldest first; see [Seen].
	Unread []recovery.Notice
	// Err wraps ErrDamaged where the journal or the file is damaged.
	Err error
}

// Verify replays the journal of every tracked file below the paths from its first
// image, checks each version against its hash, and the file against the newest.
// Of protected files without a history it checks that they hold JSON. It changes
// nothing. Settings that can't be read are an error beside the results.
func Verify(ctx context.Context, store *txn.Store, paths []string, o VerifyOptions) ([]VerifyResult, error) {
	s := of(store)
	sc, skipped, err := s.ScopeBeside(ctx, paths)
	if err != nil {
		return nil, err
	}
	results := make([]VerifyResult, len(sc.Files))
	done := 0
	err = inChunks(ctx, len(results), func(i int) { results[i] = s.verifyFile(ctx, sc.Files[i]) }, func(i int) {
		if done++; o.Progress != nil {
			o.Progress(done, len(results), sc.Files[i].Real)
		}
	})
	results = slices.DeleteFunc(results, func(r VerifyResult) bool { return r.Records == 0 && r.Err == nil })
	if err != nil {
		return results, err
	}
	results, err = s.verifyProtected(ctx, sc, results)
	if len(paths) > 0 {
		results = s.verifyNamed(ctx, sc.Under, results)
	}
	return results, errors.Join(err, skipped)
}

// verifyNamed adds the files that were named, have no history, and are broken all the
// same.
func (s house) verifyNamed(ctx context.Context, names []string, results []VerifyResult) []VerifyResult {
	for _, name := range names {
		i, known := slices.BinarySearchFunc(results, name, func(r VerifyResult, name string) int { return strings.Compare(r.File, name) })
		if info, err := s.FS.Lstat(name); known || err != nil || !info.Mode().IsRegular() {
			continue
		}
		broken, err := s.BrokenForLong(ctx, name)
		if broken != nil {
			err = brokenWithoutHistory(broken)
		}
		if err != nil {
			results = slices.Insert(results, i, VerifyResult{File: name, Untracked: true, Err: fault.In(name, err)})
		}
	}
	return results
}

// brokenWithoutHistory says that a file is damaged, and that no good version is known.
func brokenWithoutHistory(broken error) error {
	return &txn.Error{Kind: txn.ErrDamaged, Err: fmt.Errorf("holds no JSON (%w), and has no history that could tell a good version", broken)}
}

// verifyProtected adds what is wrong with protected files though no journal says so.
func (s house) verifyProtected(ctx context.Context, sc *workspace.Scope, results []VerifyResult) ([]VerifyResult, error) {
	list, unset := s.ProtectionsIn(sc)
	gone, err := s.DeletedAmong(sc, list)
	for i, r := range results {
		results[i].Deleted = r.Deleted || slices.Contains(gone, r.File)
	}
	names, unseen := s.Unrecorded(ctx, sc, list, func(name string) bool {
		i, known := slices.BinarySearchFunc(results, name, func(r VerifyResult, name string) int { return strings.Compare(r.File, name) })
		return known && results[i].Rev > 0
	})
	err = errors.Join(unset, err, unseen)
	for _, name := range names {
		i, known := slices.BinarySearchFunc(results, name, func(r VerifyResult, name string) int { return strings.Compare(r.File, name) })
		if !known {
			results = slices.Insert(results, i, VerifyResult{File: name})
		}
		results[i].Untracked, results[i].Err = true, s.UnreadableProtected(ctx, name)
	}
	return results, err
}

// verifyFile checks one file while nobody writes it.
func (s house) verifyFile(ctx context.Context, t *workspace.Target) VerifyResult {
	res := VerifyResult{File: t.Real}
	err := s.AtRest(ctx, []*workspace.Target{t}, versions.Looking{Content: true, Alone: true, Silent: true}, func(seen []*workspace.Target) error {
		return s.verifyLocked(ctx, seen[0], &res)
	})
	if res.Err = fault.In(t.Real, err); errors.Is(res.Err, txn.ErrDamaged) {
		if damage := s.inspect(t, &res); damage != nil {
			res.Err = fault.In(t.Real, damage) // all of it, where planning met some
		}
	}
	if res.Unread, err = s.unread(t); err != nil && res.Err == nil {
		res.Err = fault.In(t.Real, err)
	}
	return res
}

// inspect reads the whole journal.
func (s house) inspect(t *workspace.Target, res *VerifyResult) error {
	report, err := wal.Inspect(s.FS, t.Dir)
	if err != nil {
		return err
	}
	res.Exposed = s.exposed(t)
	res.Records, res.Bytes, res.Rev = report.Records, report.Bytes, report.State.Rev
	return errors.Join(report.Damage...)
}

func (s house) verifyLocked(ctx context.Context, t *workspace.Target, res *VerifyResult) error {
	if err := errors.Join(s.inspect(t, res), t.Lost); err != nil {
		return err
	}
	if err := s.replayAll(ctx, t); err != nil {
		return err
	}
	if err := s.checkStrict(t); err != nil {
		return err
	}
	if t.Plan == nil {
		return nil
	}
	fp := t.Plan
	if fp.Newest != nil {
		res.Rev = fp.Newest.Rev
	} else if broken := t.File.Found.Err; broken != nil {
		return brokenWithoutHistory(broken)
	}
	switch fp.Case.Action {
	case recovery.Nothing:
	case recovery.Adopt:
		res.Foreign, res.Deleted = true, !fp.File.Found.Version.Exists
	case recovery.Rebase:
		res.Foreign, res.Unfinished = true, true
	case recovery.Settle:
		// After another boot what is read comes from the disk: only `state` is behind.
		res.Unfinished = fp.File.Journal.Known()
	case recovery.Redo, recovery.SetAsideRedo:
		res.Unfinished = true
	case recovery.SetAside:
		return &recovery.DamagedError{File: t.Real, Rev: res.Rev, Err: t.File.Found.Err}
	}
	res.Unfinished = res.Unfinished || fp.InDoubt
	return nil
}

// exposed tells whether the journal's directory, which guards all in it, lets more
// people in than the file does.
func (s house) exposed(t *workspace.Target) bool {
	file, err := s.FS.Lstat(t.Real)
	if err != nil {
		return false
	}
	dir, err := s.FS.Lstat(t.Dir)
	if err == nil {
		err = s.LookAround(t)
	}
	return err == nil && dir.Mode().Perm()&^t.AccessOf(t.Real, file).Dir.Perm() != 0
}
