package workspace

import (
	"errors"
	"path/filepath"
)

// SettingIgnore lists patterns of files that are left out wherever jtx looks at all
// files: a sweep, a listing, a backup, the protected ones. A file that is named itself
// is not left out. They are relative to the root of the workspace, and ** in them
// stands for any number of directories.
const SettingIgnore = "ignore"

// ignored are the patterns of a workspace.
func (s *Site) ignored(w *Workspace) (Protection, error) {
	p := Protection{Root: w.Root}
	values, err := s.ReadSettings(w.Root)
	if errors.Is(err, ErrUntrusted) {
		return p, nil
	}
	if err != nil {
		return p, err
	}
	patterns, err := PatternsIn(values, SettingIgnore)
	for _, pattern := range patterns {
		p.ignore += pattern + "\n"
	}
	return p, err
}

// leavesOut tells whether a file is ignored where another path is looked below.
func (p Protection) leavesOut(real, under string) bool {
	parts, err := p.parts(filepath.Clean(real))
	return p.ignore != "" && real != under && err == nil && p.ignores(parts)
}
