package recovery

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/jtx-project/jtx/wal"
	"github.com/jtx-project/jtx/wal/fsys"
)

// asideMode lets only the owner read what was set aside: the damaged file's own
// mode may be part of the damage.
const asideMode = 0o600

func now() time.Time { return time.Now().UTC() }

// clearTemp removes what a crash left under the temporary name. It is a staged
// file, whole or not, or the old content that an exchange brought there; or what
// another program saved in the instant before the exchange, which is kept.
func (f *File) clearTemp(newest *wal.Record) error {
	temp := Temp(f.Target)
	info, err := f.FS.Lstat(temp)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if info.Mode().IsRegular() && newest != nil && f.Found.Version == newest.After {
		moved, err := f.recordDisplaced(newest, f.Found.Data)
		if err != nil {
			return err
		}
		if moved != nil {
			*newest = *moved
		}
	}
	return f.FS.Remove(temp)
}

// recordDisplaced keeps the file under the temporary name as a version where it
// is neither the content before rec nor rec's own. Two records follow rec: what
// the other program saved, and rec's content again, which is what stands. It
// returns the second, or nil where there was nothing to keep. Bytes that are no
// document are set aside instead.
func (f *File) recordDisplaced(rec *wal.Record, data []byte) (*wal.Record, error) {
	out, err := Read(f.FS, Temp(f.Target), wal.Version{}, f.Limits)
	if err != nil {
		return nil, err
	}
	if !out.Version.Exists || out.Version == rec.Before || out.Version == rec.After {
		return nil, nil
	}
	if out.Doc == nil {
		_, err := f.keep(out)
		return nil, err
	}
	unit := wal.NewID()
	foreign := &wal.Record{Kind: wal.KindImage, Flags: wal.FlagForeign, Unit: unit, Rev: rec.Rev + 1, Before: rec.After, After: out.Version, Image: out.Data,
		Txns: []wal.Txn{{ID: unit, Time: now(), Message: "saved outside jtx during a commit"}}}
	again := &wal.Record{Kind: wal.KindImage, Unit: wal.NewID(), Rev: rec.Rev + 2, Before: out.Version, After: rec.After, Image: data}
	again.Txns = []wal.Txn{{ID: again.Unit, Time: now(), Message: fmt.Sprintf("%s again", rec.Unit)}}
	if !rec.After.Exists {
		again.Kind, again.Image, again.Txns[0].Patch = wal.KindPatch, nil, []byte(`[{"op":"remove","path":""}]`)
	}
	if err := f.Log.Append(foreign, again); err != nil {
		return nil, err
	}
	return again, f.Log.Sync()
}

// setAside keeps a durable copy of what stands under the name.
func (f *File) setAside() (string, error) { return f.keep(f.Found) }

func (f *File) keep(found Found) (string, error) {
	dir := filepath.Join(f.Dir, "damaged")
	err := f.FS.Mkdir(dir, 0o700)
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return "", err
	}
	name := filepath.Join(dir, found.Version.Hash.String())
	if _, err := f.FS.Lstat(name); err == nil {
		return name, nil // the same bytes are kept already
	}
	if err := fsys.WriteFileAtomic(f.FS, name, found.Data, os.FileMode(asideMode)); err != nil {
		return "", err
	}
	if err := fsys.SyncDir(f.FS, dir); err != nil {
		return "", err
	}
	return name, fsys.SyncDir(f.FS, f.Dir)
}
