package backup

import (
	"archive/tar"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/klauspost/compress/zstd"
)

// Check reads an archive whole, and those it builds on, and compares every file
// with its manifest. It fails with ErrBad.
func Check(name string) (*Manifest, error) {
	return Read(name, func(File, []byte) error { return nil })
}

// ReadManifest reads what an archive says it holds.
func ReadManifest(name string) (*Manifest, error) {
	m, _, err := load(name)
	return m, err
}

// Read yields every file of an archive's state, checked against the manifest, in
// the manifest's order. Those in a former archive are read from there.
func Read(name string, visit func(File, []byte) error) (*Manifest, error) {
	m, data, err := load(name)
	if err != nil {
		return nil, err
	}
	if err := fromBase(name, m, data); err != nil {
		return nil, err
	}
	for _, f := range m.Files {
		text, ok := data[string(f.Path)]
		switch {
		case !ok:
			return nil, fmt.Errorf("%s: %w: %s is missing", name, ErrBad, f.Path)
		case int64(len(text)) != f.Size || HashOf(text) != f.SHA256:
			return nil, fmt.Errorf("%s: %w: %s is not what the manifest says", name, ErrBad, f.Path)
		}
		if err := visit(f, text); err != nil {
			return nil, err
		}
		delete(data, string(f.Path))
	}
	for extra := range data {
		return nil, fmt.Errorf("%s: %w: %s is not in the manifest", name, ErrBad, extra)
	}
	return m, nil
}

// fromBase adds the files that are in the former archive.
func fromBase(name string, m *Manifest, data map[string][]byte) error {
	want := map[Path]bool{}
	for _, f := range m.Files {
		if f.InBase {
			want[f.Path] = true
		}
	}
	if len(want) == 0 {
		return nil
	}
	base := m.Base
	if !filepath.IsAbs(base) {
		base = filepath.Join(filepath.Dir(name), base)
	}
	_, err := Read(base, func(f File, text []byte) error {
		if want[f.Path] {
			data[string(f.Path)] = text
		}
		return nil
	})
	return err
}

// load reads all of an archive.
func load(name string) (*Manifest, map[string][]byte, error) {
	data := map[string][]byte{}
	var manifest []byte
	read := readTar
	if !isTar(name) {
		read = readDir
	}
	err := read(name, func(path string, text []byte) error {
		if path == manifestName {
			manifest = text
		} else if rel, ok := strings.CutPrefix(path, filesDir+"/"); ok {
			data[rel] = text
		}
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	if manifest == nil {
		return nil, nil, fmt.Errorf("%s: %w: it has no manifest", name, ErrBad)
	}
	m, err := parseManifest(manifest)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", name, err)
	}
	return m, data, nil
}

func readDir(root string, visit func(string, []byte) error) error {
	return filepath.WalkDir(root, func(at string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		if !e.Type().IsRegular() {
			return fmt.Errorf("%s: %w: not a regular file", at, ErrBad)
		}
		rel, err := filepath.Rel(root, at)
		if err != nil {
			return err
		}
		text, err := os.ReadFile(at)
		if err != nil {
			return err
		}
		return visit(filepath.ToSlash(rel), text)
	})
}

func readTar(name string, visit func(string, []byte) error) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	var from io.Reader = f
	switch {
	case strings.HasSuffix(name, "gz"):
		if from, err = gzip.NewReader(f); err != nil {
			return fmt.Errorf("%s: %w: %v", name, ErrBad, err)
		}
	case strings.HasSuffix(name, ".zst"):
		dec, err := zstd.NewReader(f)
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
		if err != nil {
			return fmt.Errorf("%s: %w: %v", name, ErrBad, err)
		}
		text, err := io.ReadAll(t)
		if err != nil {
			return fmt.Errorf("%s: %w: %v", name, ErrBad, err)
		}
		if err := visit(h.Name, text); err != nil {
			return err
		}
	}
}
