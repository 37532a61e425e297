package recovery

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"github.com/jtx-project/jtx/wal"
	"github.com/jtx-project/jtx/wal/fsys"
)

// asideMode lets only the owner read what was set aside: the damaged file's own
// mode may be part of the damage.
const asideMode = 0o600

func now() time.Time { return time.Now().UTC() }

// clearTemps removes what a crash left beside the file. What another program
// saved in the instant before an exchange is kept: clearTemps returns the record
// that stands then, or newest where there was nothing to keep.
func (f *File) clearTemps(newest *wal.Record) (*wal.Record, error) {
	for _, name := range append(f.spareNames(), Temp(f.Target)) {
		if err := f.removeIfThere(name); err != nil {
			return nil, err
		}
	}
	displaced := Displaced(f.Target)
	info, err := f.FS.Lstat(displaced)
	if errors.Is(err, fs.ErrNotExist) {
		return newest, nil
	}
	if err != nil {
		return nil, err
	}
	if info.Mode().IsRegular() && newest != nil {
		if newest, err = f.keepDisplaced(newest); err != nil {
			return nil, err
		}
	}
	if err := f.FS.Remove(displaced); err != nil {
		return nil, err
	}
	return newest, f.unlinked()
}

// unlinked takes note that the file may have lost its second name, which a rename
// that was half done leaves: that sets its change time, and nothing else.
func (f *File) unlinked() error {
	info, err := f.FS.Lstat(f.Target)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if id := wal.FileIDOf(info); f.Found.Info != nil && sameButRenamed(id, f.Found.ID) {
		f.Found.Info, f.Found.ID = info, id
	}
	return nil
}

// keepDisplaced records what stands under the displaced name, unless the journal
// has that content already: an older one may come back where its removal was never
// made durable.
func (f *File) keepDisplaced(newest *wal.Record) (*wal.Record, error) {
	out, err := Read(f.FS, Displaced(f.Target), wal.State{}, f.Limits)
	if err != nil || f.inHistory(out.Version) || f.isAside(out.Version) {
		return newest, err
	}
	data, err := Render(f.Journal.Read, newest.LSN, f.Limits)
	if err != nil {
		return nil, err
	}
	moved, err := f.recordDisplaced(newest, data)
	if err != nil || moved == nil {
		return newest, err
	}
	return moved, nil
}

// inHistory looks for a content in the whole journal. Damage in an old part of it
// must not get in the way: then the content counts as new.
func (f *File) inHistory(v wal.Version) bool {
	for rec, err := range wal.ScanBack(f.FS, f.Dir, 0) {
		if err != nil {
			return false
		}
		if rec.After == v || stoodBefore(rec) == v {
			return true
		}
	}
	return false
}

// recordDisplaced keeps the file under the displaced name as a version where it
// is neither the content before rec nor rec's own, nor what was found and is meant
// to be replaced. A clash record follows rec: what the other program saved, and
// rec's content again, which is what stands. It is returned, or nil where there was
// nothing to keep. Bytes that are no document are set aside instead.
func (f *File) recordDisplaced(rec *wal.Record, data []byte) (*wal.Record, error) {
	if known, err := f.holdsVersion(Displaced(f.Target), stoodBefore(rec), rec.After, f.Found.Version); known || err != nil {
		return nil, err
	}
	out, err := Read(f.FS, Displaced(f.Target), wal.State{}, f.Limits)
	if err != nil {
		return nil, err
	}
	if !out.Version.Exists {
		return nil, nil
	}
	if out.Doc == nil {
		_, err := f.keep(out)
		return nil, err
	}
	clash, err := f.clashRecord(rec, out, data)
	if err != nil {
		return nil, err
	}
	clash.Flags = rec.Flags & levelFlags
	clash.Txns[0].Message = "saved outside jtx during a commit"
	if err := f.Log.Append(clash); err != nil {
		return nil, err
	}
	if err := f.Log.Sync(); err != nil {
		return nil, err
	}
	return clash, f.tellClash(clash)
}

// holdsVersion tells whether a file beside the target has one of these contents, as
// the displaced one nearly always does. So it is not taken into memory for that.
func (f *File) holdsVersion(name string, versions ...wal.Version) (bool, error) {
	file, err := f.FS.OpenFile(name, os.O_RDONLY|fsys.NonBlock|fsys.NoFollow, 0)
	if err != nil {
		return false, nil // the caller's own look says why
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil || !info.Mode().IsRegular() {
		return false, nil
	}
	is, err := wal.VersionFrom(file, info.Size())
	return slices.Contains(versions, is), err
}

// AsideName is the name under which the bytes of a version are kept: its hash and
// its size, for only together they tell one content from another.
func AsideName(v wal.Version) string { return fmt.Sprintf("%s.%d", v.Hash, v.Size) }

// setAside keeps a durable copy of what stands under the name.
func (f *File) setAside() (string, error) { return f.keep(f.Found) }

func (f *File) asideName(v wal.Version) string {
	return filepath.Join(f.Dir, "damaged", AsideName(v))
}

// isAside tells that a copy of a content is kept.
func (f *File) isAside(v wal.Version) bool {
	_, err := f.FS.Lstat(f.asideName(v))
	return err == nil
}

func (f *File) keep(found Found) (string, error) {
	dir := filepath.Join(f.Dir, "damaged")
	if err := f.makeDamagedDir(dir); err != nil {
		return "", err
	}
	name := f.asideName(found.Version)
	if !f.isAside(found.Version) { // else the same bytes are kept already, but perhaps not durably
		if err := f.tellAside(found.Version); err != nil {
			return "", err
		}
		if err := fsys.WriteFileAtomic(f.FS, name, found.Data, os.FileMode(asideMode)); err != nil {
			return "", err
		}
	}
	if err := fsys.SyncDir(f.FS, dir); err != nil {
		return "", err
	}
	return name, fsys.SyncDir(f.FS, f.Dir)
}

func (f *File) makeDamagedDir(dir string) error {
	err := f.FS.Mkdir(dir, 0o700)
	if errors.Is(err, fs.ErrExist) {
		info, err := f.FS.Lstat(dir)
		if err == nil && !info.IsDir() {
			err = fmt.Errorf("%s: not a directory", dir)
		}
		return err
	}
	if err != nil {
		return err
	}
	d, err := f.FS.OpenFile(dir, os.O_RDONLY|fsys.NoFollow, 0)
	if err != nil {
		return err
	}
	return errors.Join(fsys.InheritOwner(f.FS, d, f.Dir), d.Close())
}

// checkDisplaced looks at what came out from under the name. If another program
// saved in the instant before the rename, its bytes become a version of their
// own, before the one that now stands.
func (r *Replacement) checkDisplaced(rec *wal.Record) error {
	if err := r.identify(); err != nil {
		return err
	}
	displaced := Displaced(r.File.Target)
	info, err := r.File.FS.Lstat(displaced)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	same := sameButRenamed(wal.FileIDOf(info), r.File.Found.ID)
	if !same || r.File.Found.racy() {
		moved, err := r.File.recordDisplaced(rec, r.Data)
		if err != nil {
			return err
		}
		if moved != nil {
			r.moved = moved
			r.Warnings = append(r.Warnings, fmt.Sprintf("another program saved %s during the commit: its version is revision %d, this one %d",
				r.File.Target, moved.Rev-1, moved.Rev))
		}
	}
	if same && r.keepsSpare(info) {
		err := r.keepSpare(info)
		if !errors.Is(err, syscall.EXDEV) {
			return err
		}
	}
	return r.File.FS.Remove(displaced)
}

// racy tells that the file's identity does not vouch for its content.
func (f *Found) racy() bool { return f.At.Sub(f.Info.ModTime()) < racyAge }

// sameButRenamed compares all of two identities but the change time, which a
// rename sets.
func sameButRenamed(a, b wal.FileID) bool {
	a.Ctime = b.Ctime
	return a == b
}
