package backup

import (
	"archive/tar"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/jtx-project/jtx/wal/fsys"
)

// Writer makes an archive.
type Writer struct {
	dest, temp string
	current    bool // of now
	manifest   Manifest
	sink       sink
}

// sink is where the files go.
type sink interface {
	add(name string, data []byte, mode fs.FileMode, at time.Time) error
	// finish makes all that was added durable.
	finish() error
	// discard lets go of what is open.
	discard()
}

// Create begins an archive, whose form the ending of dest tells. Nothing may be
// there yet. at is the moment whose state it is; where that is zero, it is the time
// of the newest file that is added.
func Create(dest string, at time.Time, base string) (*Writer, error) {
	if _, err := os.Lstat(dest); err == nil {
		return nil, &fs.PathError{Op: "backup", Path: dest, Err: fs.ErrExist}
	}
	if !isTar(dest) && slices.ContainsFunc(unknownForms, func(ext string) bool { return strings.HasSuffix(strings.ToLower(dest), ext) }) {
		return nil, ErrForm
	}
	w := &Writer{dest: dest, current: at.IsZero()}
	w.manifest = Manifest{Format: version, Created: time.Now().UTC(), At: at, Base: base, Files: []File{}}
	var err error
	pattern := filepath.Base(dest) + ".*.tmp"
	if isTar(dest) {
		w.temp, w.sink, err = newTarSink(filepath.Dir(dest), pattern, dest)
	} else {
		w.temp, w.sink, err = newDirSink(filepath.Dir(dest), pattern)
	}
	return w, err
}

// unknownForms are endings by which an archive would be expected of a form that is not
// made.
var unknownForms = []string{".zip", ".7z", ".rar", ".xz", ".txz", ".bz2", ".tbz2", ".lz4", ".br", ".gz", ".zst", ".cpio"}

// ErrForm is returned where an archive of an unknown form is asked for.
var ErrForm = errors.New("an archive of that form can't be made: want .tar, .tar.gz, .tgz or .tar.zst, or another name for a directory")

func isTar(name string) bool {
	for _, ext := range []string{".tar", ".tar.gz", ".tgz", ".tar.zst"} {
		if strings.HasSuffix(name, ext) {
			return true
		}
	}
	return false
}

// maxSkew is how far a file's time may be ahead of the clock. One that is further ahead is
// not true, and the backup's own is.
const maxSkew = time.Minute

// Add puts a file into the archive, or only lists it where the base has it.
func (w *Writer) Add(f File, data []byte) error {
	w.manifest.Files = append(w.manifest.Files, f)
	at := f.Time
	if time.Until(at) > maxSkew {
		at = time.Now().UTC()
	}
	if w.current && at.After(w.manifest.At) {
		w.manifest.At = at
	}
	if f.InBase {
		return nil
	}
	return w.sink.add(path.Join(filesDir, string(f.Path)), data, f.Perm(), f.Time)
}

// Dirs are the directories that the files added so far are in, by path.
func (w *Writer) Dirs() []Path {
	seen := map[Path]bool{}
	for _, f := range w.manifest.Files {
		for dir := path.Dir(string(f.Path)); dir != "."; dir = path.Dir(dir) {
			seen[Path(dir)] = true
		}
	}
	return slices.Sorted(maps.Keys(seen))
}

// AddDir notes a directory's permissions.
func (w *Writer) AddDir(d Dir) { w.manifest.Dirs = append(w.manifest.Dirs, d) }

// Unknown notes a file of which it is not known what it was.
func (w *Writer) Unknown(p Path) { w.manifest.Unknown = append(w.manifest.Unknown, p) }

// Finish adds the manifest, makes the archive durable, and gives it its name.
func (w *Writer) Finish() (*Manifest, error) {
	text, err := json.MarshalIndent(&w.manifest, "", "  ")
	if err != nil {
		return nil, err
	}
	if err := w.sink.add(manifestName, append(text, '\n'), 0o600, w.manifest.Created); err != nil {
		return nil, err
	}
	if err := w.sink.finish(); err != nil {
		return nil, err
	}
	if err := rename(w.temp, w.dest); err != nil {
		return nil, err
	}
	return &w.manifest, syncPath(filepath.Dir(w.dest))
}

// rename replaces nothing, where the file system can do that.
func rename(from, to string) error {
	err := fsys.OS.RenameNoReplace(from, to)
	if err == nil || errors.Is(err, fs.ErrExist) {
		return err
	}
	return os.Rename(from, to)
}

// Discard removes what was written.
func (w *Writer) Discard() error {
	w.sink.discard()
	return os.RemoveAll(w.temp)
}

func syncPath(name string) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

type dirSink struct {
	root string
	dirs map[string]bool
}

func newDirSink(dir, pattern string) (string, *dirSink, error) {
	root, err := os.MkdirTemp(dir, pattern)
	return root, &dirSink{root, map[string]bool{root: true}}, err
}

func (d *dirSink) add(name string, data []byte, mode fs.FileMode, at time.Time) error {
	full := filepath.Join(d.root, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(full), 0o700); err != nil {
		return err
	}
	for dir := filepath.Dir(full); !d.dirs[dir]; dir = filepath.Dir(dir) {
		d.dirs[dir] = true
	}
	f, err := os.OpenFile(full, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Chmod(mode)
	}
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close(), os.Chtimes(full, at, at))
}

func (d *dirSink) finish() error {
	for dir := range d.dirs {
		if err := syncPath(dir); err != nil {
			return err
		}
	}
	return nil
}

func (d *dirSink) discard() {}

type tarSink struct {
	file *os.File
	tar  *tar.Writer
	pack io.WriteCloser // nil where nothing is compressed
}

func newTarSink(dir, pattern, dest string) (string, *tarSink, error) {
	f, err := os.CreateTemp(dir, pattern)
	if err != nil {
		return "", nil, err
	}
	t := &tarSink{file: f}
	var to io.Writer = f
	switch {
	case strings.HasSuffix(dest, "gz"):
		t.pack = gzip.NewWriter(f)
	case strings.HasSuffix(dest, ".zst"):
		if t.pack, err = zstd.NewWriter(f); err != nil {
			return "", nil, errors.Join(err, f.Close(), os.Remove(f.Name()))
		}
	}
	if t.pack != nil {
		to = t.pack
	}
	t.tar = tar.NewWriter(to)
	return f.Name(), t, nil
}

func (t *tarSink) add(name string, data []byte, mode fs.FileMode, at time.Time) error {
	h := &tar.Header{Typeflag: tar.TypeReg, Name: name, Size: int64(len(data)), Mode: int64(mode), ModTime: at.Truncate(time.Second), Format: tar.FormatGNU}
	if err := t.tar.WriteHeader(h); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	_, err := t.tar.Write(data)
	return err
}

func (t *tarSink) finish() error {
	err := t.tar.Close()
	if err == nil && t.pack != nil {
		err = t.pack.Close()
	}
	if err == nil {
		err = t.file.Sync()
	}
	return errors.Join(err, t.file.Close())
}

func (t *tarSink) discard() {
	if t.pack != nil {
		_ = t.pack.Close() // ends its goroutines; what it writes is removed
	}
	_ = t.file.Close()
}
