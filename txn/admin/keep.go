package admin

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/jtx-project/jtx/txn"
	"github.com/jtx-project/jtx/txn/internal/fault"
	"github.com/jtx-project/jtx/txn/internal/workspace"
	"github.com/jtx-project/jtx/wal/fsys"
)

// scriptsDir holds copies of files that are no JSON, which no journal can hold.
const scriptsDir = "scripts"

// Keep puts a copy of a file, which need not be JSON, into the workspace that
// covers it, and returns its path: its name says when, and what. The same bytes
// are kept once. The copy is durable when Keep returns.
func Keep(ctx context.Context, store *txn.Store, file string, data []byte) (string, error) {
	s := of(store)
	path, err := s.keepCopy(ctx, s.Abs(file), data)
	return path, fault.In(file, err)
}

func (s house) keepCopy(ctx context.Context, file string, data []byte) (string, error) {
	real, err := workspace.RealPath(s.FS, file)
	if err != nil {
		return "", err
	}
	info, err := s.FS.Stat(real)
	if err != nil {
		return "", err
	}
	dir, err := s.scriptsHome(ctx, filepath.Dir(real))
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(data)
	suffix := fmt.Sprintf("-%x-%s", sum[:6], filepath.Base(real))
	kept, err := filepath.Glob(filepath.Join(dir, "*"+globQuote(suffix)))
	if err != nil {
		return "", err
	}
	if len(kept) > 0 {
		return kept[0], nil
	}
	name := filepath.Join(dir, time.Now().UTC().Format("20060102T150405Z")+suffix)
	err = workspace.AccessOfFile(real, info, info).WriteFile(s.FS, name, string(data))
	if err == nil || errors.Is(err, fs.ErrExist) {
		err = fsys.SyncDir(s.FS, dir)
	}
	return name, err
}

// scriptsHome is the directory for copies in the workspace that covers dir, which
// is made where there is none.
func (s house) scriptsHome(ctx context.Context, dir string) (string, error) {
	w, err := s.WorkspaceFor(ctx, dir)
	if err != nil {
		return "", err
	}
	a, err := s.AccessOfDir(w.Root, os.Geteuid())
	if err != nil {
		return "", err
	}
	home := filepath.Join(w.Meta(), scriptsDir)
	if err := a.Mkdir(s.FS, home); err != nil {
		return "", err
	}
	return home, fsys.SyncDir(s.FS, w.Meta())
}

// globQuote escapes what a pattern gives a meaning to.
func globQuote(text string) string {
	var quoted []byte
	for _, c := range []byte(text) {
		if c == '*' || c == '?' || c == '[' || c == '\\' {
			quoted = append(quoted, '\\')
		}
		quoted = append(quoted, c)
	}
	return string(quoted)
}
