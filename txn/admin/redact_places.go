package admin

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/jtx-project/jtx/recover"
	"github.com/jtx-project/jtx/txn/internal/workspace"
	"github.com/jtx-project/jtx/wal/fsys"
)

// maxLooked bounds, in bytes, what is read of a file that may hold a value.
const maxLooked = 64 << 20

// lookAround names every other place in the workspaces at, above and below the file's
// in which one of the values is: histories of other files, such as copies, what is kept
// of open transactions and of scripts, what was staged or set aside. What can't be
// looked at is named too.
func (r *redaction) lookAround(ctx context.Context) error {
	sc, err := r.s.Scope(ctx, []string{r.h.Target.WS.Root})
	if err != nil {
		return err
	}
	for _, t := range sc.Files {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if t.Real == r.h.Target.Real || slices.Contains(r.done.AlsoIn, t.Real) || slices.Contains(r.done.Unreached, t.Real) {
			continue
		}
		_, values, err := r.lookInto(t)
		switch {
		case err != nil:
			r.done.Unreached = append(r.done.Unreached, t.Real)
		case values:
			r.done.AlsoIn = append(r.done.AlsoIn, t.Real)
		}
	}
	for _, t := range append(sc.Files, sc.Never...) {
		if t.Real == r.h.Target.Real {
			continue // what is beside it was cleaned
		}
		for _, name := range []string{recovery.Temp(t.Real), recovery.Displaced(t.Real)} {
			r.lookAtFile(name)
		}
		r.lookBelow(filepath.Join(t.Dir, workspace.DamagedDir))
	}
	for _, w := range sc.Workspaces {
		r.lookBelow(filepath.Join(w.Meta(), workspace.TxDir))
		r.lookBelow(filepath.Join(w.Meta(), scriptsDir))
	}
	slices.Sort(r.done.Places)
	return nil
}

// lookBelow looks into all files below a directory. Those that can't be opened are
// another user's, and are named.
func (r *redaction) lookBelow(dir string) {
	entries, err := r.s.FS.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	if err != nil {
		r.done.Unreached = append(r.done.Unreached, dir)
	}
	for _, e := range entries {
		name := filepath.Join(dir, e.Name())
		if e.IsDir() {
			r.lookBelow(name)
		} else {
			r.lookAtFile(name)
		}
	}
}

func (r *redaction) lookAtFile(name string) {
	f, err := r.s.FS.OpenFile(name, os.O_RDONLY|fsys.NoFollow|fsys.NonBlock, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	if err != nil {
		r.done.Unreached = append(r.done.Unreached, name)
		return
	}
	defer f.Close()
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		return
	}
	if err == nil && info.Size() > maxLooked {
		err = fs.ErrInvalid
	}
	var text []byte
	if err == nil {
		text, err = fsys.ReadAll(f)
	}
	switch {
	case err != nil:
		r.done.Unreached = append(r.done.Unreached, name)
	case r.marks.in(text):
		r.done.Places = append(r.done.Places, name)
	}
}
