package admin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"path/filepath"
	"slices"
	"unicode/utf8"

	"github.com/jtx-project/jtx/txn"
	"github.com/jtx-project/jtx/txn/history"
	"github.com/jtx-project/jtx/txn/internal/doors"
	"github.com/jtx-project/jtx/txn/internal/fault"
	"github.com/jtx-project/jtx/txn/internal/workspace"
)

// Protection is a pattern of files that matter: Pattern is relative to Root; ** in it stands
// for any number of directories.
type Protection = workspace.Protection

// Protect adds patterns, relative to the store's directory, and begins the
// history of the files that match them and have none yet. It returns these, also
// where it fails for others.
func Protect(ctx context.Context, store *txn.Store, patterns []string) ([]string, error) {
	s := of(store)
	err := s.changeProtection(ctx, patterns, func(have []string, p string) []string {
		if !slices.Contains(have, p) {
			have = append(have, p)
		}
		return have
	})
	if err != nil {
		return nil, err
	}
	return TrackProtected(ctx, s.store)
}

// Unprotect takes patterns off the list. Their files stay tracked.
func Unprotect(ctx context.Context, store *txn.Store, patterns []string) error {
	s := of(store)
	missing := &txn.Error{Kind: txn.ErrNotFound}
	err := s.changeProtection(ctx, patterns, func(have []string, p string) []string {
		if !slices.Contains(have, p) {
			missing.File, missing.Err = p, fmt.Errorf("is not among the protected patterns")
		}
		return slices.DeleteFunc(have, func(x string) bool { return x == p })
	})
	if err == nil && missing.File != "" {
		return missing
	}
	return err
}

func (s house) changeProtection(ctx context.Context, patterns []string, change func([]string, string) []string) error {
	return ChangeSettings(ctx, s.store, func(root string, values map[string]json.RawMessage) error {
		have, err := workspace.PatternsIn(values, workspace.ProtectKey)
		if err != nil {
			return err
		}
		for _, p := range patterns {
			rel, err := s.relPattern(root, p)
			if err != nil {
				return err
			}
			have = change(have, rel)
		}
		if len(have) == 0 {
			delete(values, workspace.ProtectKey)
			return nil
		}
		values[workspace.ProtectKey], err = workspace.Encode(have)
		return err
	})
}

// relPattern is a pattern relative to the root of the workspace.
func (s house) relPattern(root, pattern string) (string, error) {
	abs := pattern
	if !filepath.IsAbs(abs) {
		dir, err := workspace.RealDir(s.Dir)
		if err != nil {
			return "", err
		}
		abs = filepath.Join(dir, pattern)
	}
	rel, err := filepath.Rel(root, abs)
	if err != nil || !filepath.IsLocal(rel) {
		return "", &txn.Error{Kind: txn.ErrInvalid, File: pattern, Err: fmt.Errorf("is not in the workspace %s", root)}
	}
	rel = filepath.ToSlash(rel)
	if !utf8.ValidString(rel) { // JSON could not keep it
		return "", &txn.Error{Kind: txn.ErrInvalid, File: pattern, Err: fmt.Errorf("is no UTF-8, as a pattern must be: ? stands for any byte that is not")}
	}
	if _, err := path.Match(rel, ""); err != nil {
		return "", &txn.Error{Kind: txn.ErrInvalid, File: pattern, Err: fmt.Errorf("is no pattern: %w", err)}
	}
	return rel, nil
}

// Protections lists the patterns of the workspace that covers the store's
// directory, and of those around it.
func Protections(_ context.Context, store *txn.Store) ([]Protection, error) {
	s := of(store)
	dir, err := workspace.RealDir(s.Dir)
	if err != nil {
		return nil, fault.In(s.Dir, err)
	}
	list, err := s.ProtectionsAbove(dir)
	return list, fault.In(s.Dir, err)
}

// Protected finds the pattern that protects a file. It fails with ErrNotFound
// where none does. The file need not exist.
func Protected(_ context.Context, store *txn.Store, file string) (Protection, error) {
	s := of(store)
	real, err := workspace.RealPath(s.FS, s.Abs(file))
	if err != nil {
		return Protection{}, fault.In(file, err)
	}
	list, err := s.ProtectionsAbove(filepath.Dir(real))
	if err != nil {
		return Protection{}, fault.In(file, err)
	}
	for _, p := range list {
		if p.Matches(real) {
			return p, nil
		}
	}
	return Protection{}, &txn.Error{Kind: txn.ErrNotFound, File: file, Err: fmt.Errorf("is not protected")}
}

// Healed is a protected file that was damaged.
type Healed struct {
	File   string
	Result txn.Result // what brought the last good version back
	Err    error      // why it could not be
}

// Heal looks at files, or at all protected ones where none are named, and brings
// the last good version of those back that are damaged, whose bytes are set aside, or
// were deleted by another program.
// A file that is empty or cut short is looked at again before it counts as damaged.
func Heal(ctx context.Context, store *txn.Store, files []string, opts ...txn.Option) ([]Healed, error) {
	s := of(store)
	if len(files) == 0 {
		var err error
		if files, err = s.protectedFiles(); err != nil {
			return nil, err
		}
		gone, err := s.deletedProtected(ctx)
		if err != nil {
			return nil, err
		}
		files = append(files, gone...)
	}
	var healed []Healed
	for _, name := range files {
		if _, err := Protected(ctx, s.store, name); err != nil {
			return healed, err
		}
		broken, err := s.needsHealing(ctx, s.Abs(name))
		if err != nil {
			return healed, fault.In(name, err)
		}
		if broken == nil {
			if err := s.recordGood(ctx, s.Abs(name)); err != nil {
				return healed, err
			}
			continue
		}
		h := Healed{File: s.Abs(name)}
		h.Result, h.Err = history.Restore(ctx, s.store, []string{name}, history.Point{}, append(opts, txn.WithMessage("healed: "+broken.Error()))...)
		healed = append(healed, h)
	}
	return healed, nil
}

// recordGood records an edit by somebody else, so that it is the last good version
// from now on. Who may only read has nothing to record; and nobody is waited for:
// whoever holds the file records what it finds.
func (s house) recordGood(ctx context.Context, name string) error {
	t, err := s.Resolve(ctx, name)
	if err != nil {
		return err
	}
	pos, st, settled, err := s.Position(t)
	if err == nil && settled && st.Last > 0 && pos.File == st.File {
		return nil
	}
	_, err = s.Track(ctx, name, doors.Locking{Hasty: true})
	if fault.CannotWrite(err) || errors.Is(err, txn.ErrLockTimeout) {
		return nil
	}
	return err
}

// needsHealing says why a protected file is not what it should be, nil where it is.
func (s house) needsHealing(ctx context.Context, name string) (error, error) {
	broken, err := s.BrokenForLong(ctx, name)
	if broken != nil || err != nil {
		return broken, err
	}
	t, err := s.Resolve(ctx, name)
	if err != nil {
		return nil, err
	}
	gone, err := s.DeletedForLong(ctx, t)
	if gone && err == nil {
		return errDeleted, nil
	}
	return nil, err
}
