package recovery

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/jtx-project/jtx/txn/jsonpatch"
	"github.com/jtx-project/jtx/wal"
	"github.com/jtx-project/jtx/wal/fsys"
)

// Replacement carries a file from what was found to a new content. Its methods
// are called in the order Stage, Sync, Place, Settle; Discard takes a Stage back
// before Place.
type Replacement struct {
	File *File
	// Data are the new bytes. Where Version says that there is no file they are nil, or
	// the white space that was there before there was a document.
	Data    []byte
	Version wal.Version // what Data is, or the zero value to remove the file
	Strict  bool        // Data is known to be strict JSON
	InPlace bool        // overwrite, do not rename
	// Unsynced tells that Sync will not be called. What comes out from under the name
	// is then no spare for a later content.
	// Named tells that the directory was synced since the new content has its name.
	Named    bool
	Unsynced bool
	// Like is another file, whose mode, owner and attributes the new one gets:
	// less what the one that it replaces did not allow. nil: those of that.
	Like *File
	// Guarded tells that the file gets no wider mode than the directory of its journal
	// allows, which was narrowed before: for content that is not for all who may read
	// the file now. Whoever finishes what another process began can't know better.
	Guarded bool
	// Mode is that of a file that is not there, the umask notwithstanding; 0: that of
	// any new file, but no more than its journal has.
	Mode fs.FileMode
	// Warnings are what of the old file's metadata could not be kept.
	Warnings []string

	temp     fsys.File // open from Stage to Close
	target   fsys.File // the file itself, where it is overwritten; open as temp
	tempName string
	refilled bool        // it is a spare, under a lease until Place
	after    Found       // what stands under the name after Place, but for Data and Doc
	moved    *wal.Record // where Place had to append one: the record that now stands
}

// ErrChanged is returned where another program changed the file after it was
// read. Nothing was done.
var ErrChanged = errors.New("changed by another program meanwhile")

// tempMode keeps a temporary file from every other user until it has the mode
// and owner of the file that it will replace.
const tempMode = 0o600

// Stage writes the new bytes whole to a temporary file beside the target, with
// the mode, owner and extended attributes of what is to be replaced, or to a spare,
// which has them.
//
// It fails where Place could not do what it is for: behind the commit point it would
// be too late.
func (r *Replacement) Stage() error {
	if r.InPlace {
		return r.openTarget()
	}
	if err := r.File.MayReplace(); err != nil || r.removes() {
		return err
	}
	fill := r.refill
	if !r.openSpare() {
		if err := r.create(); err != nil {
			return err
		}
		fill = r.fill
	}
	if err := fill(); err != nil {
		return errors.Join(err, r.Discard())
	}
	return nil
}

// removes tells that nothing is to stand under the name.
func (r *Replacement) removes() bool { return !r.Version.Exists && r.Data == nil }

// MayReplace fails where a rename could not put another file in place of what was
// found, or nothing.
func (f *File) MayReplace() error {
	displaced := Displaced(f.Target)
	if info, err := f.FS.Lstat(displaced); err == nil && info.IsDir() {
		return &fs.PathError{Op: "rename to", Path: displaced, Err: syscall.EISDIR}
	}
	if f.Found.Info == nil {
		return mayAdd(filepath.Dir(f.Target))
	}
	return mayReplace(f.Target)
}

// openTarget opens the file that is to be overwritten.
func (r *Replacement) openTarget() (err error) {
	r.target, err = r.File.FS.OpenFile(r.File.Target, os.O_RDWR|fsys.NoFollow|fsys.NonBlock, 0)
	return err
}

// create makes the temporary file.
func (r *Replacement) create() (err error) {
	perm := fs.FileMode(tempMode)
	if r.File.Found.Info == nil && r.Like == nil {
		perm = r.File.newPerm()
	}
	r.tempName = Temp(r.File.Target)
	r.temp, err = createTemp(r.File.FS, r.tempName, perm)
	return err
}

// newPerm is the mode of a file that is not there, before the umask is taken off:
// that of any new file, but where it has been there before no more than its journal
// has. So one that was secret is so again when it comes back.
func (f *File) newPerm() fs.FileMode {
	const anyFile = 0o666
	info, err := f.FS.Lstat(f.Dir)
	if err != nil || f.Journal.Empty() {
		return anyFile
	}
	return anyFile & info.Mode().Perm()
}

// FormerMode has the permissions of a file when it was last there, by its journal's
// directory dir: no more than that gives to anybody, but for changing the file, which
// not everybody who may do that may do with the journal. 0 where there is no journal.
func FormerMode(fsy fsys.FS, dir string) (fs.FileMode, error) {
	info, err := fsy.Lstat(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	mode := info.Mode().Perm()
	// A state that is torn, or a newer one, says nothing here.
	if st, ok, err := wal.ReadState(fsy, dir); err == nil && ok && st.Mode != 0 {
		readers := mode & 0o444
		return st.Mode & (0o700 | readers | readers>>1 | readers>>2), nil
	}
	return mode &^ 0o111, nil
}

// createTemp makes the file new. What a crash left under the name is removed
// first: the name is ours, and only the holder of the target's lock uses it.
func createTemp(fsy fsys.FS, name string, perm fs.FileMode) (fsys.File, error) {
	const flags = os.O_RDWR | os.O_CREATE | os.O_EXCL | fsys.NoFollow
	f, err := fsy.OpenFile(name, flags, perm)
	if !errors.Is(err, fs.ErrExist) {
		return f, err
	}
	if err := fsy.Remove(name); err != nil {
		return nil, err
	}
	return fsy.OpenFile(name, flags, perm)
}

func (r *Replacement) fill() error {
	if err := r.write(); err != nil {
		return err
	}
	model := r.File
	if r.Like != nil {
		model = r.Like
	}
	if model.Found.Info == nil {
		if r.Mode != 0 {
			return r.temp.Chmod(r.Mode)
		}
		return nil
	}
	warnings, err := copyMetadata(r.temp, model.Target, model.Found.Info)
	r.Warnings = append(r.Warnings, warnings...)
	if err != nil {
		return err
	}
	return r.narrow(r.temp)
}

func (r *Replacement) write() error {
	if r.Unsynced {
		_, err := r.temp.Write(r.Data)
		return err
	}
	return fsys.WriteOut(r.temp, r.Data, 0)
}

// narrow takes away from an open file what the file that is replaced did not allow,
// or that whose content it gets.
func (r *Replacement) narrow(f fsys.File) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	const owner = fs.FileMode(0o700)
	allowed := fs.ModePerm
	switch {
	case r.Guarded:
		dir, err := r.File.FS.Lstat(r.File.Dir)
		if err != nil {
			return err
		}
		allowed = dir.Mode() | owner
	case r.Like != nil && r.File.Found.Info != nil:
		allowed = both(r.File.Found.Info, r.Like.Found.Info)
	}
	if info.Mode().Perm()&^allowed == 0 {
		return nil
	}
	return f.Chmod(info.Mode() & (allowed | fs.ModeSetuid | fs.ModeSetgid | fs.ModeSticky))
}

// both is what each of two files allows. To a file of another group, a group is
// everybody else.
func both(a, b fs.FileInfo) fs.FileMode {
	mode := a.Mode().Perm() & b.Mode().Perm()
	if !sameGroup(a, b) {
		mode &^= 0o070 &^ (mode << 3)
	}
	return mode
}

// StagedInfo describes the staged file, nil where there is none.
func (r *Replacement) StagedInfo() (fs.FileInfo, error) {
	if r.temp == nil {
		return nil, nil
	}
	return r.temp.Stat()
}

// Inode is that of the staged file, 0 where there is none.
func (r *Replacement) Inode() (uint64, error) {
	info, err := r.StagedInfo()
	if info == nil || err != nil {
		return 0, err
	}
	return wal.FileIDOf(info).Ino, nil
}

// Staged tells whether there is a staged file.
func (r *Replacement) Staged() bool { return r.temp != nil }

// Sync makes the staged bytes and their metadata durable.
func (r *Replacement) Sync() error {
	switch {
	case r.temp == nil:
		return nil
	case r.refilled: // its metadata was synced when it was made
		return r.temp.Datasync()
	}
	return r.temp.Sync()
}

// SyncIn lists what Sync does among others that are made at once. Label gets its
// error.
func (r *Replacement) SyncIn(s *fsys.Syncs, label func(error) error) {
	if r.temp != nil {
		s.Add(r.temp, r.refilled, label)
	}
}

// Discard removes the staged file.
func (r *Replacement) Discard() error {
	staged := r.Staged()
	r.Close()
	if !staged {
		return nil
	}
	return r.File.removeIfThere(r.tempName)
}

func (f *File) removeIfThere(name string) error {
	err := f.FS.Remove(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// Overwrites tells whether a new content is written over the file's own bytes:
// where that is wanted, and where a mount point can't be renamed over. A file that
// is not there is made by a rename, and one is removed by a rename, all the same.
func (f *File) Overwrites(wanted bool, after wal.Version) bool {
	return after.Exists && f.Found.Info != nil && (wanted || MountPoint(f.Target))
}

// Close lets go of the staged file's descriptor.
func (r *Replacement) Close() {
	if r.target != nil {
		r.target.Close() // likewise
		r.target = nil
	}
	if r.temp != nil {
		r.temp.Close() // it was synced; there is nothing left that could fail
		r.temp = nil
	}
}

// Unchanged compares what stands under the name with what was found. It fails
// with ErrChanged.
func (r *Replacement) Unchanged() error {
	info, err := r.File.FS.Lstat(r.File.Target)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if r.File.Found.Info == nil {
			return nil
		}
	case err != nil:
		return err
	case r.File.Found.Is(info):
		return nil
	}
	return fmt.Errorf("%s: %w", r.File.Target, ErrChanged)
}

// Place puts the new content under the name. It fails with ErrChanged, having
// done nothing, where the file is not the one that was found. rec is the
// committed record of the new content.
func (r *Replacement) Place(rec *wal.Record) error {
	if err := r.Unchanged(); err != nil {
		return err
	}
	if r.InPlace {
		return r.overwrite(rec)
	}
	err := r.rename()
	if errors.Is(err, syscall.EBUSY) && r.Version.Exists {
		return r.overwrite(rec) // it has become a mount point meanwhile
	}
	if err != nil {
		return err
	}
	return r.checkDisplaced(rec)
}

// rename makes the staged file, or nothing, stand under the name. Where it can,
// it keeps what stood there under the displaced name, so that a change in the
// instant since Unchanged is not lost.
func (r *Replacement) rename() error {
	fsy, target, temp := r.File.FS, r.File.Target, r.tempName
	displaced := Displaced(target)
	switch {
	case r.removes() && r.File.Found.Info == nil:
		return nil
	case r.removes():
		return fsy.Rename(target, displaced)
	case r.File.Found.Info == nil:
		err := fsy.RenameNoReplace(temp, target)
		if errors.Is(err, fs.ErrExist) {
			return fmt.Errorf("%s: %w", target, ErrChanged)
		}
		return err
	}
	if err := r.unlease(); err != nil {
		return err
	}
	if err := fsy.Rename(temp, displaced); err != nil {
		return err
	}
	// In this order the last event that a watcher of the directory sees on the target's
	// name is its arrival.
	err := fsy.Exchange(target, displaced)
	if errors.Is(err, errors.ErrUnsupported) {
		return fsy.Rename(displaced, target)
	}
	return err
}

// racyAge is longer than the steps in which file systems count time. A file that
// was looked at younger than that can be written again without a change of its
// times.
const racyAge = 50 * time.Millisecond

func (r *Replacement) identify() error {
	r.after = Found{}
	if !r.Version.Exists {
		return nil
	}
	return r.note(r.temp)
}

// note takes the identity of what stands under the name now.
func (r *Replacement) note(f fsys.File) error {
	at := time.Now()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	r.after = Found{Info: info, At: at, ID: wal.FileIDOf(info), Version: r.Version}
	return nil
}

// Placed makes the new content what the File has found, as a Look after Settle
// would. doc is Data as a document, nil where the file was removed.
func (r *Replacement) Placed(doc *jsonpatch.Document) {
	r.after.Data, r.after.Doc = r.Data, doc
	r.after.staged = !r.Unsynced && r.Version.Exists && !r.InPlace
	r.File.Found = r.after
}

// overwrite writes the new bytes over the file itself. A durable inplace record
// with the whole content goes first, so that a crash in the middle is repaired.
func (r *Replacement) overwrite(rec *wal.Record) error {
	r.InPlace = true
	if rec.Kind != wal.KindInPlace {
		in := &wal.Record{Kind: wal.KindInPlace, Unit: rec.Unit, Rev: rec.Rev, Before: rec.Before, After: rec.After, Image: r.Data}
		if err := r.File.Log.Append(in); err != nil {
			return err
		}
		if err := r.File.Log.Sync(); err != nil {
			return err
		}
		r.moved = in
	}
	fsys.Step("replace.inplace-recorded")
	if r.target == nil { // the new bytes were staged beside it
		if err := errors.Join(r.Discard(), r.openTarget()); err != nil {
			return err
		}
	}
	defer r.Close()
	if err := r.File.removeIfThere(Displaced(r.File.Target)); err != nil {
		return err
	}
	f := r.target
	if err := r.narrow(f); err != nil {
		return err
	}
	if _, err := f.WriteAt(r.Data, 0); err != nil {
		return err
	}
	fsys.Step("replace.inplace-written")
	if err := f.Truncate(int64(len(r.Data))); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	return r.note(f)
}

// Settle writes to `state` that rec, or the record that Place had to append
// behind it, is in place.
func (r *Replacement) Settle(rec *wal.Record) error {
	if r.moved != nil {
		rec = r.moved
	}
	if r.Named {
		r.File.Log.SetNamed(rec.LSN)
	}
	r.File.Log.SetMode(r.after.Info)
	if err := r.File.Log.Settle(rec.LSN, r.after.ID, rec.After, r.Strict); err != nil || !r.InPlace {
		return err
	}
	// Until it is durable that the bytes are in place, whatever another program
	// makes of them looks like a write that was cut off.
	return r.File.Log.SyncState()
}

// Revision is the file's revision after Place.
func (r *Replacement) Revision(rec *wal.Record) uint64 {
	if r.moved != nil {
		return r.moved.Rev
	}
	return rec.Rev
}

// SyncDirIn lists the sync that makes the name durable among others that are made
// at once. Label gets its error.
func (r *Replacement) SyncDirIn(s *fsys.Syncs, label func(error) error) {
	s.AddDir(r.File.FS, filepath.Dir(r.File.Target), label)
}
