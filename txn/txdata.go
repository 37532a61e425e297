package txn

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/jtx-project/jtx/lockmgr"
	"github.com/jtx-project/jtx/txn/backup"
	"github.com/jtx-project/jtx/txn/internal/fault"
	"github.com/jtx-project/jtx/txn/internal/workspace"
	"github.com/jtx-project/jtx/txn/jsonpatch"
	"github.com/jtx-project/jtx/wal"
	"github.com/jtx-project/jtx/wal/fsys"
)

// txData is tx/<id>/tx.json. It is replaced by rename; the documents it names
// stand beside it and are written first.
type txData struct {
	ID      string           `json:"id"`
	Created time.Time        `json:"created"`
	Actor   string           `json:"actor,omitempty"`
	Message string           `json:"message,omitempty"`
	Expires time.Time        `json:"expires,omitzero"`
	Owner   *lockmgr.Process `json:"owner,omitempty"`
	Kept    bool             `json:"kept,omitempty"` // nobody but its owner ends it
	Files   []*txFile        `json:"files,omitempty"`
}

// txFile is a file that has joined.
type txFile struct {
	File    backup.Path       `json:"file"` // absolute; see OpenTx.kept for what is written
	Rev     uint64            `json:"rev"`
	Pinned  string            `json:"pinned"`         // its content then, see pinOf
	Made    []string          `json:"made,omitempty"` // the unit that made it, then its transactions; none where no version held it
	Base    string            `json:"base,omitempty"`
	Now     string            `json:"now,omitempty"`
	Ops     []json.RawMessage `json:"ops,omitempty"`
	Whole   bool              `json:"whole,omitempty"`
	Removed bool              `json:"removed,omitempty"`
	Changed bool              `json:"changed,omitempty"`
	Read    bool              `json:"read,omitempty"`
	Reads   []string          `json:"reads,omitempty"` // pointers
	Token   uint64            `json:"token,omitempty"` // of its lease
}

// hasRead adds what a step of the transaction has read.
func (f *txFile) hasRead(d *draft) {
	for _, p := range d.reads {
		if !slices.Contains(f.Reads, p) {
			f.Reads = append(f.Reads, p)
		}
	}
	f.Read = f.Read || len(d.reads) > 0
}

// pinOf writes a file's content as a word.
func pinOf(v wal.Version) string {
	if !v.Exists {
		return "absent"
	}
	return fmt.Sprintf("%d:%s", v.Size, hex.EncodeToString(v.Hash[:]))
}

func (d *txData) file(name string) *txFile {
	for _, f := range d.Files {
		if string(f.File) == name {
			return f
		}
	}
	return nil
}

func encodeOps(p jsonpatch.Patch) []json.RawMessage {
	var out []json.RawMessage
	for _, op := range p {
		b := jsonpatch.Patch{op}.Encode()
		out = append(out, json.RawMessage(b[1:len(b)-1])) // without the brackets
	}
	return out
}

func (f *txFile) ops(lim jsonpatch.Limits) (jsonpatch.Patch, error) {
	b, err := json.Marshal(f.Ops)
	if err != nil {
		return nil, err
	}
	if f.Ops == nil {
		return nil, nil
	}
	return jsonpatch.DecodePatch(b, lim)
}

const (
	txName    = "tx.json"
	txMode    = 0o600
	txDirMode = 0o700
)

// txHome is where a new transaction is kept: in the first file's workspace; with
// no file in that of the store's directory, or where none covers that, in the
// user's state directory.
func (s *Store) txHome(ctx context.Context, files []string, made *[]*workspace.Workspace) (string, error) {
	if len(files) > 0 {
		t, err := s.src.ResolveBy(ctx, s.src.Abs(files[0]), workspace.Lookup{Create: true, Made: made})
		if err != nil {
			return "", err
		}
		return filepath.Join(t.WS.Meta(), workspace.TxDir), nil
	}
	real, err := workspace.RealDir(s.src.Dir)
	if err != nil {
		return "", fault.In(s.src.Dir, err)
	}
	w, err := s.src.FindWorkspace(ctx, real)
	if err != nil {
		return "", fault.In(s.src.Dir, err)
	}
	if w != nil {
		return filepath.Join(w.Meta(), workspace.TxDir), nil
	}
	return userTxDir()
}

// userTxDir is $XDG_STATE_HOME/jtx/tx, by the XDG Base Directory Specification.
func userTxDir() (string, error) {
	base := os.Getenv("XDG_STATE_HOME")
	if !filepath.IsAbs(base) {
		home, err := os.UserHomeDir()
		if err != nil {
			return "", &Error{Kind: ErrNotFound, Err: fmt.Errorf("no directory for the transaction: name a file, or run jtx init: %w", err)}
		}
		base = filepath.Join(home, ".local", "state")
	}
	return filepath.Join(base, "jtx", "tx"), nil
}

// Resume opens a transaction by its id, or by a beginning of it that no other
// has. It looks in the workspace of the store's directory, then among all that
// this user began. One that is damaged comes with its error, and can be aborted.
func (s *Store) Resume(ctx context.Context, id string) (*OpenTx, error) {
	given := id
	id = strings.ToUpper(id)
	dirs, err := s.txDirs(ctx)
	if err != nil {
		return nil, err
	}
	found := map[string]string{}
	pointers, _ := userTxDir() // none lead anywhere where there is no such directory
	for _, dir := range dirs {
		entries, err := s.src.FS.ReadDir(dir)
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
			continue // another user's, if it is there: this one has begun none in it
		}
		if err != nil {
			return nil, fault.In(dir, err)
		}
		for _, e := range entries {
			path := filepath.Join(dir, e.Name())
			if !isTxName(e.Name()) || !strings.HasPrefix(e.Name(), id) || found[e.Name()] != "" {
				continue // the nearest is meant, where there are a workspace and its copy
			}
			if e.Type()&fs.ModeSymlink != 0 && dir != pointers {
				continue // of those in a workspace nothing is known
			}
			if _, err := s.src.FS.Stat(filepath.Join(path, txName)); err == nil {
				found[e.Name()] = path
			}
		}
	}
	switch {
	case len(found) == 0 || len(id) < 4:
		return nil, &Error{Kind: ErrNotFound, Err: fmt.Errorf("no open transaction %s", given)}
	case len(found) > 1:
		return nil, &Error{Kind: ErrInvalid, Err: fmt.Errorf("%d open transactions begin with %s", len(found), given)}
	}
	for _, path := range found {
		real, err := fsys.EvalSymlinks(path)
		if err != nil {
			return nil, fault.In(path, err)
		}
		t := &OpenTx{s: s, dir: real}
		return t, t.load()
	}
	panic("unreachable")
}

func (s *Store) txDirs(ctx context.Context) ([]string, error) {
	var dirs []string
	real, err := workspace.RealDir(s.src.Dir)
	if err != nil {
		return nil, fault.In(s.src.Dir, err)
	}
	w, err := s.src.FindWorkspace(ctx, real)
	if err != nil {
		return nil, fault.In(s.src.Dir, err)
	}
	if w != nil {
		dirs = append(dirs, filepath.Join(w.Meta(), workspace.TxDir))
	}
	if home, err := userTxDir(); err == nil {
		dirs = append(dirs, home)
	}
	return dirs, nil
}

// maxTx bounds the size of tx.json, in bytes.
const maxTx = 256 << 20

func (t *OpenTx) load() error {
	data, err := fsys.ReadAtMost(t.s.src.FS, filepath.Join(t.dir, txName), maxTx)
	if errors.Is(err, fs.ErrNotExist) {
		return &Error{Kind: ErrNotFound, Err: fmt.Errorf("no open transaction %s", filepath.Base(t.dir))}
	}
	if err != nil && !errors.Is(err, fsys.ErrTooLarge) {
		return fault.In(t.dir, err)
	}
	name := filepath.Base(t.dir)
	t.data, t.damage = txData{}, nil
	if err == nil {
		err = json.Unmarshal(data, &t.data)
	}
	if err == nil {
		err = t.check(name)
	}
	if err == nil {
		return nil
	}
	id, wrong := wal.ParseID(name)
	if wrong != nil {
		return fault.In(t.dir, wrong) // it is kept nowhere that jtx made
	}
	t.data = txData{ID: name, Created: id.Time()}
	t.damage = &Error{Kind: ErrDamaged, Err: &TxDamagedError{name, filepath.Join(t.dir, txName), err}}
	return t.damage
}

// TxDamagedError says that what is kept of an open transaction can't be read.
type TxDamagedError struct {
	ID, Path string
	Err      error
}

func (e *TxDamagedError) Error() string {
	return fmt.Sprintf("open transaction %s is damaged: %s: %v", e.ID, e.Path, e.Err)
}

func (e *TxDamagedError) Unwrap() error { return e.Err }

// check refuses a transaction that calls itself otherwise than its directory, or
// has documents elsewhere: somebody else may have put it into the workspace, and
// the names in it are opened and removed.
func (t *OpenTx) check(id string) (err error) {
	if t.data.ID != id {
		return fmt.Errorf("it is of transaction %q", t.data.ID)
	}
	for _, f := range t.data.Files {
		if f == nil {
			return errors.New("a file without its path")
		}
		if f.File, err = t.named(f.File); err != nil {
			return err
		}
		for _, name := range []string{f.Base, f.Now} {
			if name != filepath.Base(name) && name != "" || name == ".." {
				return fmt.Errorf("a document named %q", name)
			}
		}
	}
	return nil
}

func (t *OpenTx) save() error {
	kept := t.data
	kept.Files = make([]*txFile, len(t.data.Files))
	for i, f := range t.data.Files {
		copied := *f
		copied.File = t.kept(f.File)
		kept.Files[i] = &copied
	}
	data, err := json.Marshal(kept)
	if err == nil && len(data) >= maxTx {
		err = &Error{Kind: ErrInvalid, Err: fmt.Errorf("what transaction %s holds is too large: commit what it has first", t.data.ID)}
	}
	if err != nil {
		return fault.In(t.dir, err)
	}
	return fault.In(t.dir, fsys.WriteFileAtomic(t.s.src.FS, filepath.Join(t.dir, txName), append(data, '\n'), txMode))
}

// keep writes a document beside tx.json and returns its name.
func (t *OpenTx) keep(i int, kind string, data []byte) (string, error) {
	name := fmt.Sprintf("%d.%s", i, kind)
	return name, fsys.WriteFileAtomic(t.s.src.FS, filepath.Join(t.dir, name), data, txMode)
}

func (t *OpenTx) document(name string) (*jsonpatch.Document, error) {
	if name == "" {
		return nil, nil
	}
	data, err := fsys.ReadAtMost(t.s.src.FS, filepath.Join(t.dir, name), t.s.src.Limits.Bytes())
	if err != nil {
		return nil, err
	}
	return jsonpatch.Parse(data, t.s.src.Limits)
}

func (t *OpenTx) base(f *txFile) (*jsonpatch.Document, error) { return t.document(f.Base) }

// draft is a file as the transaction sees it.
func (t *OpenTx) draft(f *txFile) (*draft, error) {
	base, err := t.base(f)
	if err != nil {
		return nil, err
	}
	d := &draft{name: string(f.File), doc: base, rev: f.Rev, whole: f.Whole}
	if base != nil {
		d.found.Doc, d.found.Data, d.found.Version = base, base.Bytes(), wal.VersionOf(base.Bytes())
	} else if f.Pinned != pinOf(wal.Version{}) { // blank, see target.begins
		_, d.found.Err = jsonpatch.Parse(nil, t.s.opt.Limits)
	}
	if !f.Changed {
		return d, nil
	}
	if d.ops, err = f.ops(t.s.src.Limits); err != nil {
		return nil, err
	}
	d.doc, err = t.document(f.Now)
	return d, err
}
