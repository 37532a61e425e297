package backup

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"
	"time"
	"unicode/utf8"
)

const (
	manifestName = "jtx-backup.json"
	filesDir     = "files"
	version      = 1
)

// ErrBad is returned where an archive is not what its manifest says.
var ErrBad = errors.New("backup is damaged")

// Manifest lists what an archive holds.
type Manifest struct {
	Format  int       `json:"format"`
	Created time.Time `json:"created"`
	// At is the moment whose state it is.
	At    time.Time `json:"at"`
	Files []File    `json:"files"` // by path
	// Dirs are the directories that the files are in, by path.
	Dirs []Dir `json:"dirs,omitempty"`
	// Unknown are files whose history does not reach back to At: what they held then,
	// or whether they were there, is not known.
	Unknown []Path `json:"unknown,omitempty"`
	// Base is the former archive that holds what Files mark as being in it.
	Base string `json:"base,omitempty"`
}

// File is one file of the state.
type File struct {
	Path   Path      `json:"file"` // below the directory that was backed up
	Rev    uint64    `json:"rev"`
	Tx     string    `json:"tx"`
	Time   time.Time `json:"time"`
	Size   int64     `json:"size"`
	SHA256 string    `json:"sha256"`
	Mode   string    `json:"mode"` // octal permissions
	InBase bool      `json:"in_base,omitempty"`
}

// Dir is a directory of the state.
type Dir struct {
	Path Path   `json:"dir"`  // below the directory that was backed up
	Mode string `json:"mode"` // octal permissions
}

// Path is a path in JSON: a string or, where it is not UTF-8, its base64 behind a
// NUL, which no path contains.
type Path string

// MarshalJSON implements json.Marshaler.
func (p Path) MarshalJSON() ([]byte, error) {
	if utf8.ValidString(string(p)) {
		return json.Marshal(string(p))
	}
	return json.Marshal("\x00" + base64.StdEncoding.EncodeToString([]byte(p)))
}

// UnmarshalJSON implements json.Unmarshaler.
func (p *Path) UnmarshalJSON(b []byte) error {
	var s string
	if err := json.Unmarshal(b, &s); err != nil {
		return err
	}
	if len(s) > 0 && s[0] == 0 {
		raw, err := base64.StdEncoding.DecodeString(s[1:])
		if err != nil {
			return err
		}
		s = string(raw)
	}
	*p = Path(s)
	return nil
}

// HashOf is the hash that a manifest keeps of a file.
func HashOf(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

func parseManifest(data []byte) (*Manifest, error) {
	var m Manifest
	if err := json.Unmarshal(data, &m); err != nil {
		return nil, fmt.Errorf("%w: %s: %v", ErrBad, manifestName, err)
	}
	if m.Format != version {
		return nil, fmt.Errorf("backup has format %d, this program knows %d", m.Format, version)
	}
	seen := map[Path]bool{}
	for _, f := range m.Files {
		name := string(f.Path)
		switch {
		case !isPlain(f.Path):
			return nil, fmt.Errorf("%w: %q leaves the directory, or is written in another way than that", ErrBad, name)
		case seen[f.Path]:
			return nil, fmt.Errorf("%w: %q is in the manifest twice", ErrBad, name)
		case f.Size < 0:
			return nil, fmt.Errorf("%w: %q has %d bytes", ErrBad, name, f.Size)
		}
		seen[f.Path] = true
	}
	for _, d := range m.Dirs {
		if !isPlain(d.Path) {
			return nil, fmt.Errorf("%w: %q leaves the directory, or is written in another way than that", ErrBad, d.Path)
		}
	}
	return &m, nil
}

// isPlain tells that a path stays below the directory, and is written in one way.
func isPlain(p Path) bool {
	return filepath.IsLocal(filepath.FromSlash(string(p))) && path.Clean(string(p)) == string(p)
}

// Perm is what an archive gives a file: the original's permissions.
func (f *File) Perm() fs.FileMode { return permOf(f.Mode, 0o600) }

// Perm is what the original's permissions were.
func (d *Dir) Perm() fs.FileMode { return permOf(d.Mode, 0o700) }

func permOf(text string, otherwise fs.FileMode) fs.FileMode {
	var m fs.FileMode
	if _, err := fmt.Sscanf(text, "%o", &m); err != nil {
		return otherwise
	}
	return m.Perm()
}

// ModeText is how a manifest writes permissions.
func ModeText(m fs.FileMode) string { return fmt.Sprintf("%04o", m.Perm()) }
