package workspace

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"time"

	"github.com/jtx-project/jtx/txn/internal/fault"
)

// MaxRounds bounds how often a session starts again: because a file moved to
// another workspace, a unit's participants had to be locked besides, or another
// program kept changing a file.
const MaxRounds = 64

// ErrAgain makes locked start over. Nothing was changed.
var ErrAgain = errors.New("start again")

// FindWorkspace walks from dir to the root of the file system for the nearest
// workspace that covers the caller's files in dir. It is nil where there is none. One
// that was placed but not activated is activated first.
func (s *Site) FindWorkspace(ctx context.Context, dir string) (*Workspace, error) {
	return s.nearest(ctx, dir, dir, Lookup{uid: os.Geteuid()})
}

// CoveredBy is FindWorkspace for a caller that only looks, and activates none.
func (s *Site) CoveredBy(ctx context.Context, dir string) (*Workspace, error) {
	return s.nearest(ctx, dir, dir, Lookup{Look: true, uid: os.Geteuid()})
}

// Lookup says how a file's workspace is looked for.
type Lookup struct {
	Create bool // make one where none covers the file
	// Made, where it is not nil, is told of each that was made.
	Made *[]*Workspace
	// Held: the caller holds locks. A workspace that is to be activated is ErrAgain
	// then: activating it waits for locks, perhaps for those of the caller.
	Held bool
	// Look: the caller only looks. A workspace that is to be activated is looked past,
	// which nobody has used yet, and Passed says so: it may be used a moment later.
	Look   bool
	Passed *bool
	// PassOver is the directory of a workspace that is not active yet, and is looked
	// past.
	PassOver string
	uid      int  // the file's owner
	Hasty    bool // wait for nobody
}

// nearest looks from one directory upwards for what covers dir. What is above that
// and is not trusted, or can't be read, covers nothing below it.
func (s *Site) nearest(ctx context.Context, from, dir string, how Lookup) (*Workspace, error) {
	for at := from; ; at = filepath.Dir(at) {
		w, err := s.readWorkspace(at, how.uid)
		if errors.Is(err, errInactive) {
			w, err = s.readInactive(ctx, at, how)
		}
		if err != nil && (at == dir || !isNoCover(err)) {
			return nil, err
		}
		if w != nil && w.covers(dir) {
			return w, nil
		}
		if at == filepath.Dir(at) {
			return nil, nil
		}
	}
}

// readInactive activates the workspace of dir and reads it, or says why not.
func (s *Site) readInactive(ctx context.Context, dir string, how Lookup) (*Workspace, error) {
	name, err := s.MetaName(dir, how.uid)
	switch {
	case err != nil:
		return nil, err
	case filepath.Join(dir, name) == how.PassOver:
		return nil, nil
	case how.Look:
		if how.Passed != nil {
			*how.Passed = true
		}
		return nil, nil
	case how.Held:
		return nil, ErrAgain
	}
	err = s.activate(ctx, filepath.Join(dir, name), how)
	if fault.CannotWrite(err) {
		return nil, nil // a reader who can't write: nobody has used it yet
	}
	if err != nil {
		return nil, err
	}
	return s.readWorkspace(dir, how.uid)
}

var errInactive = errors.New("workspace not active yet")

// FindAt reads the workspace whose root is dir, activating it if need be.
func (s *Site) FindAt(ctx context.Context, dir string, uid int) (*Workspace, error) {
	w, err := s.readWorkspace(dir, uid)
	if errors.Is(err, errInactive) {
		return s.readInactive(ctx, dir, Lookup{uid: uid})
	}
	return w, err
}

// tell notes a workspace that was made.
func (how *Lookup) tell(made bool, w *Workspace) {
	if made && w != nil && how.Made != nil {
		*how.Made = append(*how.Made, w)
	}
}

// waitFor is how long one that looks so waits for locks.
func (s *Site) waitFor(how Lookup) time.Duration {
	if how.Hasty {
		return 0
	}
	return s.Patience()
}

// Patience is how long one call waits for locks in all.
func (s *Site) Patience() time.Duration { return max(0, s.LockTimeout) }
