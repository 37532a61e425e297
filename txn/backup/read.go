package backup

import (
	"archive/tar"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/klauspost/compress/zstd"

	"github.com/jtx-project/jtx/wal/fsys"
)

const (
	// maxManifest bounds what is read of a manifest, in bytes.
	maxManifest = 1 << 30
	// maxWindow bounds what unpacking may need, in bytes: what zstd --long=27 makes.
	maxWindow = 128 << 20
)

// Check reads an archive whole, and those it builds on, and compares every file
// with its manifest. It fails with ErrBad. It needs memory for the manifest alone.
func Check(name string) (*Manifest, error) { return Read(name, nil, nil) }

// ReadManifest reads what an archive says it holds.
func ReadManifest(name string) (*Manifest, error) {
	var m *Manifest
	err := each(name, func(path string, from io.Reader) error {
		if path != manifestName {
			return nil
		}
		text, err := io.ReadAll(io.LimitReader(from, maxManifest))
		if err != nil {
			return fmt.Errorf("%w: %s: %w", ErrBad, manifestName, err)
		}
		m, err = parseManifest(text)
		return err
	})
	if err == nil && m == nil {
		err = fmt.Errorf("%w: it has no manifest", ErrBad)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return m, nil
}

// Read checks an archive as Check does, and yields the files of its state that are
// wanted, each when it has been compared with the manifest. Those in a former archive
// are read from there, and come last. It goes on past what is wrong with one file, and
// past an error of visit, and returns all of them joined, each a *FileError; the
// manifest is nil where that can't be read.
func Read(name string, wanted func(File) bool, visit func(File, []byte) error) (*Manifest, error) {
	return read(name, wanted, visit, nil)
}

// FileError says what is wrong with one file of an archive.
type FileError struct {
	Archive string
	Path    Path
	Err     error
}

func (e *FileError) Error() string { return fmt.Sprintf("%s: %s: %v", e.Archive, e.Path, e.Err) }
func (e *FileError) Unwrap() error { return e.Err }

// BaseError says that an archive builds on a former one that is not there.
type BaseError struct {
	Archive, Base string
	Err           error
}

func (e *BaseError) Error() string {
	if errors.Is(e.Err, fs.ErrNotExist) {
		return fmt.Sprintf("%s builds on %s, which is gone", e.Archive, e.Base)
	}
	return fmt.Sprintf("%s builds on %s, which can't be read: %v", e.Archive, e.Base, e.Err)
}

// Unwrap does not give Err: that the base is not there does not mean that the archive
// is not.
func (e *BaseError) Unwrap() error { return ErrBad }

func read(name string, wanted func(File) bool, visit func(File, []byte) error, above []string) (*Manifest, error) {
	m, err := ReadManifest(name)
	if err != nil {
		return nil, err
	}
	var wrong []error
	own, former := map[string]File{}, map[Path]File{}
	for _, f := range m.Files {
		if f.InBase {
			former[f.Path] = f
		} else {
			own[filesDir+"/"+string(f.Path)] = f
		}
	}
	err = each(name, func(path string, from io.Reader) error {
		f, listed := own[path]
		switch {
		case path == manifestName:
			return nil
		case !listed:
			return fmt.Errorf("%w: %s is not in the manifest, or is there twice", ErrBad, path)
		}
		delete(own, path)
		if err := f.check(from, wanted, visit); err != nil {
			wrong = append(wrong, &FileError{name, f.Path, err})
		}
		return nil
	})
	if err != nil {
		wrong = append(wrong, fmt.Errorf("%s: %w", name, err))
	}
	for _, path := range slices.Sorted(maps.Keys(own)) {
		wrong = append(wrong, &FileError{name, own[path].Path, fmt.Errorf("%w: it is missing", ErrBad)})
	}
	if len(former) > 0 {
		wrong = append(wrong, readBase(name, m.Base, former, wanted, visit, above))
	}
	return m, errors.Join(wrong...)
}

// check compares a file with its manifest, and yields it if it is wanted.
func (f File) check(from io.Reader, wanted func(File) bool, visit func(File, []byte) error) error {
	var text strings.Builder
	hash := sha256.New()
	var to io.Writer = hash
	want := wanted != nil && wanted(f)
	if want {
		to = io.MultiWriter(hash, &text)
	}
	size, err := io.Copy(to, io.LimitReader(from, f.Size+1))
	if err != nil {
		return fmt.Errorf("%w: %w", ErrBad, err)
	}
	if size != f.Size || hex.EncodeToString(hash.Sum(nil)) != f.SHA256 {
		return fmt.Errorf("%w: it is not what the manifest says", ErrBad)
	}
	if want {
		return visit(f, []byte(text.String()))
	}
	return nil
}

// readBase reads the files that are in the former archive, and have to be there as
// the manifest says that they are.
func readBase(name, base string, former map[Path]File, wanted func(File) bool, visit func(File, []byte) error, above []string) error {
	if !filepath.IsAbs(base) {
		base = filepath.Join(filepath.Dir(name), base)
	}
	above = append(above, name)
	for _, a := range above {
		if sameFile(a, base) {
			return fmt.Errorf("%s: %w: it builds on itself", name, ErrBad)
		}
	}
	same := func(f File) (File, bool) {
		want, ok := former[f.Path]
		return want, ok && want.Size == f.Size && want.SHA256 == f.SHA256
	}
	m, err := read(base, func(f File) bool {
		want, ok := same(f)
		return ok && wanted != nil && wanted(want)
	}, func(f File, text []byte) error { return visit(former[f.Path], text) }, above)
	if m == nil {
		return &BaseError{name, base, err}
	}
	wrong := []error{err}
	for _, f := range m.Files {
		if _, ok := same(f); ok {
			delete(former, f.Path)
		}
	}
	for _, path := range slices.Sorted(maps.Keys(former)) {
		wrong = append(wrong, &FileError{name, path, fmt.Errorf("%w: it is not in %s as the manifest says", ErrBad, base)})
	}
	return errors.Join(wrong...)
}

func sameFile(a, b string) bool {
	one, err := os.Stat(a)
	if err != nil {
		return false
	}
	other, err := os.Stat(b)
	return err == nil && os.SameFile(one, other)
}

// each visits every file of an archive.
func each(name string, visit func(path string, from io.Reader) error) error {
	if isTar(name) {
		return eachInTar(name, visit)
	}
	return eachInDir(name, visit)
}

func eachInDir(root string, visit func(string, io.Reader) error) error {
	root += string(filepath.Separator) + "." // the directory, be the name a link to it
	return filepath.WalkDir(root, func(at string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		rel, err := filepath.Rel(root, at)
		if err != nil {
			return err
		}
		if !e.Type().IsRegular() {
			return fmt.Errorf("%w: %s is not a regular file", ErrBad, rel)
		}
		f, err := os.Open(at)
		if err != nil {
			return err
		}
		defer f.Close()
		return visit(filepath.ToSlash(rel), f)
	})
}

func eachInTar(name string, visit func(string, io.Reader) error) error {
	f, err := os.OpenFile(name, os.O_RDONLY|fsys.NonBlock, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	// An archive is read more than once, and a pipe would be waited for.
	if info, err := f.Stat(); err != nil {
		return err
	} else if !info.Mode().IsRegular() {
		return fmt.Errorf("%w: not a regular file", ErrBad)
	}
	var from io.Reader = f
	switch {
	case strings.HasSuffix(name, "gz"):
		if from, err = gzip.NewReader(f); err != nil {
			return fmt.Errorf("%w: %v", ErrBad, err)
		}
	case strings.HasSuffix(name, ".zst"):
		dec, err := zstd.NewReader(f, zstd.WithDecoderMaxWindow(maxWindow))
		if err != nil {
			return err
		}
		defer dec.Close()
		from = dec
	}
	t := tar.NewReader(from)
	for {
		h, err := t.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil && h.Typeflag != tar.TypeReg && h.Typeflag != tar.TypeDir {
			err = fmt.Errorf("%s is not a regular file", h.Name)
		}
		if err != nil {
			return fmt.Errorf("%w: %v", ErrBad, err)
		}
		if h.Typeflag == tar.TypeDir {
			continue
		}
		if err := visit(h.Name, t); err != nil {
			return err
		}
	}
}
