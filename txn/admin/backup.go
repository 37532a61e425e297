package admin

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"time"

	"github.com/jtx-project/jtx/recover"
	"github.com/jtx-project/jtx/txn"
	"github.com/jtx-project/jtx/txn/backup"
	"github.com/jtx-project/jtx/txn/history"
	"github.com/jtx-project/jtx/txn/internal/doors"
	"github.com/jtx-project/jtx/txn/internal/fault"
	"github.com/jtx-project/jtx/txn/internal/versions"
	"github.com/jtx-project/jtx/txn/internal/workspace"
	"github.com/jtx-project/jtx/txn/jsonpatch"
	"github.com/jtx-project/jtx/wal"
	"github.com/jtx-project/jtx/wal/fsys"
)

// BackupOptions of a backup. The zero value takes the current state.
type BackupOptions struct {
	// At takes the state at a time, or at a transaction.
	At history.Point
	// Base is a former backup: what is as it was then is not stored again. It is
	// kept in the manifest as a path relative to the new backup where it is below
	// the same directory, and both must stay there.
	Base string
}

// Backup writes a consistent copy of every tracked file at or below the store's
// directory to dest, which must not exist: a directory or, by its ending, a .tar,
// .tar.gz or .tar.zst. Writers go on meanwhile. The bytes come from the journals
// alone, so files that are damaged or gone are in it as they last were. A file whose
// journal can't be read is named in the error, beside the manifest of what is in it.
func Backup(ctx context.Context, store *txn.Store, dest string, o BackupOptions) (*backup.Manifest, error) {
	s := of(store)
	root, err := workspace.RealDir(s.Dir)
	if err != nil {
		return nil, fault.In(s.Dir, err)
	}
	heads, err := s.backupHeads(ctx, o.At)
	if err != nil {
		return nil, err
	}
	var moment *versions.Moment // nil where it is to be of now
	var at time.Time
	if o.At != (history.Point{}) {
		moment, at, err = history.MomentOf(ctx, s.store, heads, o.At)
	}
	if err != nil {
		return nil, err
	}
	former, err := s.formerBackup(o.Base)
	if err != nil {
		return nil, err
	}
	dest = s.Abs(dest)
	w, err := backup.Create(fsys.Reach(dest), at, s.baseName(dest, o.Base))
	if err != nil {
		return nil, failBackup(dest, err)
	}
	var left []error // of files whose history can't be read
	for _, h := range heads {
		v, err := s.toBackUp(h, moment)
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		} else if err != nil {
			left = append(left, fault.In(h.Target.Name, err))
			v, err = version{unknown: true}, nil
		}
		if err == nil {
			err = fault.In(h.Target.Name, s.backupVersion(w, root, h.Target, v, former))
		}
		if err != nil {
			return nil, errors.Join(err, w.Discard())
		}
	}
	if err := s.backupDirs(w, root); err != nil {
		return nil, errors.Join(fault.In(s.Dir, err), w.Discard())
	}
	m, err := w.Finish()
	if err != nil {
		return nil, errors.Join(failBackup(dest, err), w.Discard())
	}
	return m, fault.Joined(left)
}

func failBackup(dest string, err error) error {
	if errors.Is(err, fs.ErrExist) {
		return &txn.Error{Kind: txn.ErrInvalid, File: dest, Err: fmt.Errorf("is there already: a backup replaces nothing")}
	}
	return fault.In(dest, err)
}

// backupHeads finds what the histories hold, all at one moment. Edits made outside
// are recorded first, by a caller that may, where a backup of now is to be made.
func (s house) backupHeads(ctx context.Context, p history.Point) ([]versions.Head, error) {
	targets, err := s.Targets(ctx, nil)
	if err != nil {
		return nil, err
	}
	heads, err := s.Heads(ctx, targets, versions.Looking{Each: true, Silent: true})
	if err != nil {
		return nil, err
	}
	if p != (history.Point{}) {
		return heads, nil
	}
	plain := true // nothing is to be recorded, and nothing to be told of
	for _, h := range heads {
		plain = plain && h.Err == nil && h.Target.Plan == nil
		if h.Err != nil || !h.Lags {
			continue
		}
		if err := s.Locked(ctx, []string{h.Target.Real}, doors.Locking{MendDamage: true}, doors.Nothing); ctx.Err() != nil {
			return nil, err
		}
		// Where it could not be, what is committed is in the backup, and a mark says so.
	}
	if plain {
		return heads, nil
	}
	return s.Heads(ctx, targets, versions.Looking{Each: true})
}

func (s house) formerBackup(name string) (map[backup.Path]backup.File, error) {
	if name == "" {
		return nil, nil
	}
	m, err := backup.ReadManifest(fsys.Reach(s.Abs(name)))
	if err != nil {
		return nil, fault.In(name, err)
	}
	former := map[backup.Path]backup.File{}
	for _, f := range m.Files {
		former[f.Path] = f
	}
	return former, nil
}

func (s house) baseName(dest, base string) string {
	if base == "" {
		return ""
	}
	base = s.Abs(base)
	if rel, err := filepath.Rel(filepath.Dir(dest), base); err == nil && filepath.IsLocal(rel) {
		return rel
	}
	return base
}

// version is what a backup has of a file: nothing where rec is nil.
type version struct {
	rec     *wal.Record
	doc     *jsonpatch.Document
	unknown bool // what the file was is not known
}

// toBackUp finds what a file was at a moment, or is at its head.
func (s house) toBackUp(h versions.Head, at *versions.Moment) (v version, err error) {
	if h.Err != nil || h.Last == 0 {
		return v, h.Err
	}
	if at == nil {
		v.rec, err = s.VersionAt(h.Target, h.Last)
	} else {
		v.rec, err = s.AtMoment(h, at)
	}
	switch {
	case err != nil:
		return v, err
	case v.rec == nil:
		v.unknown, err = s.unknownAt(h, at == nil)
	case !v.rec.After.Exists:
		v.rec = nil
	default:
		v.doc, err = s.ContentOf(h.Target, v.rec)
	}
	return v, err
}

// unknownAt tells of a file that has no version whether it was not there, or its history
// does not reach back so far.
func (s house) unknownAt(h versions.Head, now bool) (bool, error) {
	switch {
	case now && h.Target.Plan == nil && h.Target.File.Journal.State().Applied == 0:
		return false, nil // it was gone when its journal was set aside, and has not come back
	case now:
		return false, s.Dropped(h.Target, h.Last) // meanwhile, if at all
	}
	made, err := s.MadeByJtx(h)
	return made == nil, err
}

// backupVersion adds one file to a backup, which says where it has none.
func (s house) backupVersion(w *backup.Writer, root string, t *workspace.Target, v version, former map[backup.Path]backup.File) error {
	if v.unknown {
		rel, err := backupPath(root, t)
		w.Unknown(rel)
		return err
	}
	if v.rec == nil {
		return nil
	}
	f, err := s.backupEntry(root, t, v.rec, v.doc)
	if err != nil {
		return err
	}
	if old, ok := former[f.Path]; ok && old.SHA256 == f.SHA256 && old.Size == f.Size {
		f.InBase = true
	}
	return w.Add(f, v.doc.Bytes())
}

func backupPath(root string, t *workspace.Target) (backup.Path, error) {
	rel, err := filepath.Rel(root, t.Real)
	return backup.Path(filepath.ToSlash(rel)), err
}

func (s house) backupEntry(root string, t *workspace.Target, rec *wal.Record, doc *jsonpatch.Document) (backup.File, error) {
	path, err := backupPath(root, t)
	if err != nil {
		return backup.File{}, err
	}
	data := doc.Bytes()
	mode, err := s.originalMode(t)
	return backup.File{
		Path: path, Rev: rec.Rev, Tx: versions.IdOf(rec).String(), Time: rec.Made(),
		Size: int64(len(data)), SHA256: backup.HashOf(data), Mode: backup.ModeText(mode),
	}, err
}

// backupDirs notes the modes of the directories of the files. One that is gone is not
// noted: who may use the files tells enough.
func (s house) backupDirs(w *backup.Writer, root string) error {
	for _, dir := range w.Dirs() {
		info, err := s.FS.Lstat(filepath.Join(root, filepath.FromSlash(string(dir))))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		w.AddDir(backup.Dir{Path: dir, Mode: backup.ModeText(info.Mode())})
	}
	return nil
}

// originalMode has the permissions of the file, be it gone.
func (s house) originalMode(t *workspace.Target) (fs.FileMode, error) {
	info, err := s.FS.Lstat(t.Real)
	if errors.Is(err, fs.ErrNotExist) {
		return recovery.FormerMode(s.FS, t.Dir)
	}
	if err != nil {
		return 0, err
	}
	return info.Mode().Perm(), nil
}

// RestoreBackup brings files back as a backup has them, in one new transaction;
// with no file named, all that are in it. Other files are left alone. The mode of
// what is there stays; what is not there, and the directories above it, get the
// recorded one. Nobody may read a file, or its journal, whom the backup does not let
// read it. A file that can't be brought back is an error, beside the Result of the
// rest: ErrInvalid where a symbolic link leads its path out of the store's directory.
func RestoreBackup(ctx context.Context, store *txn.Store, name string, files []string, opts ...txn.Option) (txn.Result, error) {
	s := of(store)
	root, err := workspace.RealDir(s.Dir)
	if err != nil {
		return txn.Result{}, fault.In(s.Dir, err)
	}
	var want []string
	for _, f := range files {
		want = append(want, s.Abs(f))
	}
	old := &backedUp{s: s, root: root, data: map[string][]byte{}, modes: map[string]fs.FileMode{}}
	m, err := backup.Read(fsys.Reach(s.Abs(name)), func(f backup.File) bool {
		return len(want) == 0 || slices.Contains(want, old.place(f.Path))
	}, old.take)
	if m == nil {
		return txn.Result{}, fault.In(name, err)
	}
	failed := old.failed(err)
	for _, f := range want {
		if !slices.ContainsFunc(m.Files, func(have backup.File) bool { return old.place(have.Path) == f }) {
			failed = append(failed, &txn.Error{Kind: txn.ErrNotFound, File: f, Err: fmt.Errorf("is not in the backup")})
		}
	}
	opts = append(slices.Clone(opts), txn.Asking(doors.Asked{MendDamage: true, BringsBack: true, Modes: old.modes, DirModes: old.dirModes(m)}))
	res, err := doors.TheRest(old.names, func(names []string) (txn.Result, error) { return s.store.Do(ctx, names, old.bringBack, opts...) })
	return res, fault.Joined(append(failed, err))
}

// backedUp are files of a backup that are to be brought back.
type backedUp struct {
	s     house
	root  string
	names []string
	data  map[string][]byte      // by name
	modes map[string]fs.FileMode // by real path
}

func (b *backedUp) place(p backup.Path) string {
	return filepath.Join(b.root, filepath.FromSlash(string(p)))
}

func (b *backedUp) take(f backup.File, text []byte) error {
	name := b.place(f.Path)
	real, err := b.s.below(b.root, name)
	if err != nil {
		return err
	}
	b.data[name], b.modes[real] = text, f.Perm()
	b.names = append(b.names, name)
	return nil
}

// failed are the errors of reading a backup, each with its kind.
func (b *backedUp) failed(err error) []error {
	many, ok := err.(interface{ Unwrap() []error })
	if !ok {
		var own *txn.Error // of what was to be restored, not of the backup
		if errors.As(err, &own) {
			return []error{own}
		}
		return []error{fault.In("", err)}
	}
	var failed []error
	for _, e := range many.Unwrap() {
		failed = append(failed, b.failed(e)...)
	}
	return failed
}

// dirModes are the modes of the directories, by real path. A manifest without them
// tells only who may read the files.
func (b *backedUp) dirModes(m *backup.Manifest) map[string]fs.FileMode {
	modes := map[string]fs.FileMode{}
	for _, f := range m.Files {
		for dir := filepath.Dir(b.place(f.Path)); dir != b.root; dir = filepath.Dir(dir) {
			modes[dir] |= workspace.DirMode(f.Perm()) &^ 0o022
		}
	}
	for _, d := range m.Dirs {
		modes[b.place(d.Path)] = d.Perm()
	}
	return modes
}

func (b *backedUp) bringBack(tx *txn.Tx) error {
	for _, d := range txn.Drafts(tx) {
		doc, err := jsonpatch.Parse(b.data[d.Name()], b.s.Limits)
		if err == nil {
			err = d.Replace(doc)
		}
		if err != nil {
			return fault.In(d.Name(), err)
		}
	}
	return nil
}

// below is the real path of a file that must be in a directory.
func (s house) below(root, path string) (string, error) {
	real, err := workspace.RealPath(s.FS, path)
	if err != nil {
		return "", fault.In(path, err)
	}
	if rel, err := filepath.Rel(root, real); err != nil || !filepath.IsLocal(rel) {
		return "", &txn.Error{Kind: txn.ErrInvalid, File: path, Err: fmt.Errorf("a symbolic link leads to %s, which is not below %s", real, root)}
	}
	return real, nil
}
