package txn

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/jtx-project/jtx/recover"
	"github.com/jtx-project/jtx/wal"
)

// fileSet is the files of one call, and those that their unfinished units need
// besides.
type fileSet struct {
	s       *Store
	ctx     context.Context
	how     lookup    // how other participants are looked up
	targets []*target // as listed
	extra   []*target // other participants of unfinished units
}

// participants collects what recovery has to lock besides the listed files.
type participants struct {
	list        []recovery.Missing
	unreachable map[recovery.Key]error
}

// noCopies refuses files of a workspace and of its copy together: what names them
// in a record would name both.
func (set *fileSet) noCopies() error {
	roots := map[wal.ID]string{}
	for _, t := range set.all() {
		root, seen := roots[t.ws.id]
		if seen && root != t.ws.root {
			return &Error{Kind: ErrInvalid, File: t.name, Err: errorf("%s is a copy of %s (or the other way round), with the same history: "+
				"no transaction can have files of both, unless one begins anew without its %s", t.ws.root, root, metaDir)}
		}
		roots[t.ws.id] = t.ws.root
	}
	return nil
}

func (set *fileSet) all() []*target {
	return append(append([]*target(nil), set.targets...), set.extra...)
}

func (set *fileSet) find(real string) *target {
	for _, t := range set.all() {
		if t.real == real {
			return t
		}
	}
	return nil
}

// resolveExtra resolves the participants that recovery needs. The path in a
// record is only a hint: the workspace found there must have the same id, and
// the path must stay below its root.
func (set *fileSet) resolveExtra(need *participants) {
	for _, p := range need.list {
		key := recovery.Key{Workspace: p.Workspace, Path: p.Path}
		t, err := set.resolveMissing(p)
		if err != nil {
			need.unreachable[key] = err
			continue
		}
		if set.find(t.real) == nil {
			set.extra = append(set.extra, t)
		}
	}
}

// resolveMissing looks first where the participant's workspace is if it was moved.
func (set *fileSet) resolveMissing(p recovery.Missing) (*target, error) {
	if p.Moved != "" && validRel(p.Path) {
		if t, err := set.resolveBelow(p.Moved, p.Participant); err == nil {
			return t, nil
		}
	}
	return set.resolveParticipant(p.Participant)
}

func (set *fileSet) resolveParticipant(p wal.Participant) (*target, error) {
	if !validRel(p.Path) {
		return nil, fmt.Errorf("%q: a path that leaves its workspace", p.Path)
	}
	for _, t := range set.targets {
		if t.ws == nil {
			continue
		}
		if root := t.ws.rootOf(p.Workspace); root != "" {
			return set.resolveBelow(root, p)
		}
	}
	return set.resolveBelow(p.Root, p)
}

func (set *fileSet) resolveBelow(root string, p wal.Participant) (*target, error) {
	t, err := set.s.resolveBy(set.ctx, filepath.Join(root, filepath.FromSlash(p.Path)), set.how)
	if err != nil {
		return nil, err
	}
	if t.ws == nil || !t.isParticipant(p) {
		return nil, fmt.Errorf("%s is not there as %q any more", p.Root, p.Path)
	}
	return t, nil
}

func (set *fileSet) byKey(k recovery.Key) *target {
	for _, t := range set.all() {
		if t.key() == k {
			return t
		}
	}
	panic(fmt.Sprintf("recovery reports %v, which was not asked for", k))
}

func (set *fileSet) byName(name string) *target {
	if i := set.indexOf(name); i >= 0 {
		return set.targets[i]
	}
	return nil
}

// indexOf is the place among the targets of the one that name leads to, -1 where
// there is none.
func (set *fileSet) indexOf(name string) int {
	i := slices.IndexFunc(set.targets, func(t *target) bool { return t.name == name })
	if i >= 0 {
		return i
	}
	real, err := realPath(set.s.fs, name)
	if err != nil {
		return -1
	}
	return slices.IndexFunc(set.targets, func(t *target) bool { return t.real == real })
}
