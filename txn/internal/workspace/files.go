package workspace

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/jtx-project/jtx/recover"
	"github.com/jtx-project/jtx/txn/internal/fault"
	"github.com/jtx-project/jtx/wal"
)

// FileSet is the files of one call, and those that their unfinished units need
// besides.
type FileSet struct {
	Site    *Site
	Ctx     context.Context
	How     Lookup    // how other participants are looked up
	Targets []*Target // as listed
	Extra   []*Target // other participants of unfinished units
}

// Participants collects what recovery has to lock besides the listed files.
type Participants struct {
	List        []recovery.Missing
	Unreachable map[recovery.Key]error
}

// NoCopies refuses files of a workspace and of its copy together: what names them
// in a record would name both.
func (set *FileSet) NoCopies() error {
	roots := map[wal.ID]string{}
	for _, t := range set.All() {
		root, seen := roots[t.WS.ID]
		if seen && root != t.WS.Root {
			return &fault.Error{Kind: fault.ErrInvalid, File: t.Name, Err: fmt.Errorf("%s is a copy of %s (or the other way round), with the same history: "+
				"no transaction can have files of both, unless one begins anew without its %s", t.WS.Root, root, MetaDir)}
		}
		roots[t.WS.ID] = t.WS.Root
	}
	return nil
}

func (set *FileSet) All() []*Target {
	return append(append([]*Target(nil), set.Targets...), set.Extra...)
}

func (set *FileSet) Find(real string) *Target {
	for _, t := range set.All() {
		if t.Real == real {
			return t
		}
	}
	return nil
}

// ResolveExtra resolves the participants that recovery needs. The path in a
// record is only a hint: the workspace found there must have the same id, and
// the path must stay below its root.
func (set *FileSet) ResolveExtra(need *Participants) {
	for _, p := range need.List {
		key := recovery.Key{Workspace: p.Workspace, Path: p.Path}
		t, err := set.resolveMissing(p)
		if err != nil {
			need.Unreachable[key] = err
			continue
		}
		if set.Find(t.Real) == nil {
			set.Extra = append(set.Extra, t)
		}
	}
}

// resolveMissing looks first where the participant's workspace is if it was moved.
func (set *FileSet) resolveMissing(p recovery.Missing) (*Target, error) {
	if p.Moved != "" && ValidRel(p.Path) {
		if t, err := set.resolveBelow(p.Moved, p.Participant); err == nil {
			return t, nil
		}
	}
	return set.ResolveParticipant(p.Participant)
}

func (set *FileSet) ResolveParticipant(p wal.Participant) (*Target, error) {
	if !ValidRel(p.Path) {
		return nil, fmt.Errorf("%q: a path that leaves its workspace", p.Path)
	}
	for _, t := range set.Targets {
		if t.WS == nil {
			continue
		}
		if root := t.WS.RootOf(p.Workspace); root != "" {
			return set.resolveBelow(root, p)
		}
	}
	return set.resolveBelow(p.Root, p)
}

func (set *FileSet) resolveBelow(root string, p wal.Participant) (*Target, error) {
	t, err := set.Site.ResolveBy(set.Ctx, filepath.Join(root, filepath.FromSlash(p.Path)), set.How)
	if err != nil {
		return nil, err
	}
	if t.WS == nil || !t.IsParticipant(p) {
		return nil, errors.New("its history is not there any more")
	}
	return t, nil
}

func (set *FileSet) ByKey(k recovery.Key) *Target {
	for _, t := range set.All() {
		if t.Key() == k {
			return t
		}
	}
	panic(fmt.Sprintf("recovery reports %v, which was not asked for", k))
}

func (set *FileSet) ByName(name string) *Target {
	if i := set.IndexOf(name); i >= 0 {
		return set.Targets[i]
	}
	return nil
}

// IndexOf is the place among the targets of the one that name leads to, -1 where
// there is none.
func (set *FileSet) IndexOf(name string) int {
	i := slices.IndexFunc(set.Targets, func(t *Target) bool { return t.Name == name })
	if i >= 0 {
		return i
	}
	real, err := RealPath(set.Site.FS, name)
	if err != nil {
		return -1
	}
	return slices.IndexFunc(set.Targets, func(t *Target) bool { return t.Real == real })
}
