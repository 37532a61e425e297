// Package oplog is the log of operations of a workspace: what each transaction did and how
// long it took, for people and statistics. Commits write it; txn/admin reads it.
package oplog

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jtx-project/jtx/txn/internal/fault"
	"github.com/jtx-project/jtx/txn/internal/workspace"
	"github.com/jtx-project/jtx/txn/jsonpatch"
	"github.com/jtx-project/jtx/wal"
	"github.com/jtx-project/jtx/wal/fsys"
)

// The settings of the log of operations.
const (
	SettingLog      = "log"
	SettingLogBytes = "log-bytes"
)

// MinLogBytes is the least that SettingLogBytes may be; the default is
// DefaultLogBytes.
const (
	MinLogBytes     = 64 << 10
	DefaultLogBytes = 8 << 20
)

// The log of a workspace is, for each user, .jtx/log/UID.ndjson, and older parts with
// the time of their end behind the UID. A part is an eighth of what all of a user's may
// have.
const (
	logDir    = "log"
	logSuffix = ".ndjson"
	logTime   = "20060102T150405.000000000Z"
	logParts  = 8
)

// Operation is what one transaction or redaction did, or a wait for a lease that
// failed, as the log of operations has it. It is for people and statistics: the
// journals alone say what was committed.
type Operation struct {
	Time    time.Time `json:"time"`
	Verb    string    `json:"verb"`
	Actor   string    `json:"actor,omitempty"`
	TX      string    `json:"tx,omitempty"`
	Files   []string  `json:"files"`
	Outcome string    `json:"outcome"` // ok, conflict, locked, invalid, damaged, in-doubt, error
	Error   string    `json:"error,omitempty"`
	// WaitMicros is the time spent on locks, TotalMicros all of it.
	WaitMicros  int64 `json:"wait_us"`
	TotalMicros int64 `json:"total_us"`
}

// Line is the operation as JSON, without reflection, which would take as long as all else
// that is done for the log.
func (op *Operation) Line() []byte {
	b := op.Time.AppendFormat([]byte(`{"time":"`), time.RFC3339Nano)
	b = jsonpatch.AppendQuoted(append(b, `","verb":`...), op.Verb)
	optional := func(name, value string) {
		if value != "" {
			b = jsonpatch.AppendQuoted(append(append(append(b, `,"`...), name...), `":`...), value)
		}
	}
	optional("actor", op.Actor)
	optional("tx", op.TX)
	b = append(b, `,"files":[`...)
	for i, name := range op.Files {
		if i > 0 {
			b = append(b, ',')
		}
		b = jsonpatch.AppendQuoted(b, name)
	}
	b = jsonpatch.AppendQuoted(append(b, `],"outcome":`...), op.Outcome)
	optional("error", op.Error)
	b = strconv.AppendInt(append(b, `,"wait_us":`...), op.WaitMicros, 10)
	b = strconv.AppendInt(append(b, `,"total_us":`...), op.TotalMicros, 10)
	return append(b, "}\n"...)
}

// outcomeOf names how a transaction ended.
func outcomeOf(err error) string {
	switch {
	case err == nil:
		return "ok"
	case errors.Is(err, fault.ErrInDoubt):
		return "in-doubt"
	case errors.Is(err, fault.ErrDamaged):
		return "damaged"
	case errors.Is(err, fault.ErrLockTimeout):
		return "locked"
	case errors.Is(err, fault.ErrConflict):
		return "conflict"
	case errors.Is(err, fault.ErrInvalid):
		return "invalid"
	default:
		return "error"
	}
}

// Log writes and reads the logs of a store.
type Log struct {
	*workspace.Site
	Verb string // what the store's operations are called; nothing is logged where it is empty
}

// Done is what is to be logged.
type Done struct {
	ID     wal.ID // of the transaction, zero where there is none
	Actor  string
	Began  time.Time
	Waited time.Duration
	Err    error
}

// Add adds a line to the log of each workspace that has a part in what was
// done. It is no part of that: it syncs nothing, and where it fails there is one
// line less. Of the locked files it is known where they are.
func (s *Log) Add(names []string, locked []*workspace.Target, d Done) {
	if s.Verb == "" || errors.Is(d.Err, fault.ErrNotFound) {
		return
	}
	op := Operation{
		Time: d.Began.UTC(), Verb: s.Verb, Actor: d.Actor, Outcome: outcomeOf(d.Err),
		WaitMicros: d.Waited.Microseconds(), TotalMicros: time.Since(d.Began).Microseconds(),
	}
	if !d.ID.IsZero() {
		op.TX = d.ID.String()
	}
	if op.Outcome == "locked" {
		op.WaitMicros = op.TotalMicros
	}
	if d.Err != nil {
		op.Error = truncate(d.Err.Error(), 500)
	}
	for meta, in := range s.byWorkspace(names, locked) {
		s.appendOperation(meta, op, in)
	}
}

func truncate(text string, n int) string { return text[:min(n, len(text))] }

// logged are files of one workspace.
type logged struct {
	root  string
	files []loggedFile
}

type loggedFile struct {
	rel string
	// named and read: everybody who may pass the workspace's root may know the file's
	// name, and read it.
	named, read bool
}

// byWorkspace sorts files by the directories of the workspaces they are in. Of those
// that were locked it is known; others are looked for.
func (s *Log) byWorkspace(names []string, locked []*workspace.Target) map[string]*logged {
	sorted := map[string]*logged{}
	for _, name := range names {
		i := slices.IndexFunc(locked, func(t *workspace.Target) bool { return t.Name == name })
		t := (*workspace.Target)(nil)
		if i >= 0 {
			// Its session may be another goroutine's by now: only what never changes is read.
			at := locked[i]
			if t = (&workspace.Target{Name: at.Name, Real: at.Real, Rel: at.Rel, Dir: at.Dir, WS: at.WS}); s.LookAround(t) != nil {
				t.Private = true
			}
		} else if found, err := s.Resolve(context.Background(), name); err == nil {
			t = found
		}
		if t == nil || t.WS == nil {
			continue
		}
		in := sorted[t.WS.Meta()]
		if in == nil {
			in = &logged{root: t.WS.Root}
			sorted[t.WS.Meta()] = in
		}
		const byAll = 0o004
		info, err := s.FS.Lstat(t.Real)
		in.files = append(in.files, loggedFile{
			rel: filepath.FromSlash(t.Rel), named: !t.Private,
			read: !t.Private && err == nil && info.Mode().Perm()&byAll != 0,
		})
	}
	return sorted
}

// appendOperation writes one line with one call, so that lines of several
// processes don't mix. There is nobody to tell where it fails. What everybody may read
// has no name that somebody may not know, and no error, which may quote a value, of a
// file that somebody may not read.
func (s *Log) appendOperation(meta string, op Operation, in *logged) {
	limit, on := s.logLimit(in.root)
	root, err := s.FS.Stat(in.root)
	if err != nil || !on {
		return
	}
	mode := fs.FileMode(0o600)
	const letsAll = 0o005
	if root.Mode().Perm()&letsAll == letsAll {
		mode = 0o644
	}
	op.Files = []string{}
	for _, f := range in.files {
		if mode == 0o600 || f.named {
			op.Files = append(op.Files, f.rel)
		}
		if mode != 0o600 && !f.read {
			op.Error = ""
		}
	}
	line := op.Line()
	dir := filepath.Join(meta, logDir)
	name := filepath.Join(dir, strconv.Itoa(os.Geteuid())+logSuffix)
	f, err := s.openLogOf(name, mode, in.root)
	if err != nil {
		return
	}
	info, err := f.Stat()
	regular := err == nil && info.Mode().IsRegular()
	if regular && info.Mode().Perm() != mode {
		regular = f.Chmod(mode) == nil // the root was narrowed, or the umask took something off
	}
	if regular {
		_, _ = f.Write(line)
	}
	_ = f.Close()
	if regular && info.Size() > limit/logParts {
		s.rotateLog(dir, limit)
	}
}

func (s *Log) openLogOf(name string, mode fs.FileMode, root string) (fsys.File, error) {
	const flags = os.O_WRONLY | os.O_APPEND | os.O_CREATE | fsys.NoFollow | fsys.NonBlock
	f, err := s.FS.OpenFile(name, flags, mode)
	if !errors.Is(err, fs.ErrNotExist) {
		return f, err
	}
	a, err := s.AccessOfDir(root, os.Geteuid())
	if err == nil {
		err = a.Mkdir(s.FS, filepath.Dir(name))
	}
	if err != nil {
		return nil, err
	}
	return s.FS.OpenFile(name, flags, mode)
}

func (s *Log) logLimit(root string) (limit int64, on bool) {
	values, err := s.ReadSettings(root)
	if err != nil {
		return 0, false
	}
	limit = DefaultLogBytes
	if n, err := strconv.ParseInt(string(values[SettingLogBytes]), 10, 64); err == nil {
		limit = max(n, MinLogBytes)
	}
	return limit, string(values[SettingLog]) != "false"
}

// rotateLog ends a part of the caller's log. Two processes may do it at once: then one
// part is small.
func (s *Log) rotateLog(dir string, limit int64) {
	own := strconv.Itoa(os.Geteuid())
	if s.FS.Rename(filepath.Join(dir, own+logSuffix), filepath.Join(dir, own+"."+time.Now().UTC().Format(logTime)+logSuffix)) != nil {
		return
	}
	entries, err := s.FS.ReadDir(dir)
	if err != nil {
		return
	}
	slices.Reverse(entries) // the newest first
	var total int64
	for _, e := range entries {
		ended, ours := strings.CutPrefix(strings.TrimSuffix(e.Name(), logSuffix), own+".")
		if _, err := time.Parse(logTime, ended); !ours || err != nil {
			continue // another user's, or none that was made here
		}
		info, err := e.Info()
		if err != nil {
			continue
		}
		if total += info.Size(); total > limit {
			_ = s.FS.Remove(filepath.Join(dir, e.Name()))
		}
	}
}

// Names lists the parts of the log of a workspace.
func (s *Log) Names(meta string) []string {
	dir := filepath.Join(meta, logDir)
	entries, err := s.FS.ReadDir(dir)
	if err != nil {
		return nil // there is none, or none that can be read
	}
	var names []string
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), logSuffix) {
			names = append(names, filepath.Join(dir, e.Name()))
		}
	}
	return names
}

// Operations reads the logs of the workspaces at, above and below the store's
// directory, oldest first. What is no line of a log is passed over.
func (s *Log) Operations(since time.Time) ([]Operation, error) {
	dir, err := workspace.RealDir(s.Dir)
	if err != nil {
		return nil, fault.In(s.Dir, err)
	}
	var ops []Operation
	err = s.eachLog(dir, func(root, name string) error {
		part, err := s.readOperations(name)
		for _, op := range part {
			for i, f := range op.Files {
				op.Files[i] = filepath.Join(root, f)
			}
			if !op.Time.Before(since) {
				ops = append(ops, op)
			}
		}
		return err
	})
	slices.SortStableFunc(ops, func(a, b Operation) int { return a.Time.Compare(b.Time) })
	return ops, fault.In(s.Dir, err)
}

func (s *Log) eachLog(dir string, fn func(root, name string) error) error {
	logs := func(meta string) (err error) {
		for _, name := range s.Names(meta) {
			err = errors.Join(err, fn(filepath.Dir(meta), name))
		}
		return err
	}
	for at := filepath.Dir(dir); at != filepath.Dir(at); at = filepath.Dir(at) {
		name, err := s.MetaName(at, os.Geteuid())
		if err == nil {
			err = logs(filepath.Join(at, name))
		}
		if errors.Is(err, fs.ErrPermission) && !s.Searchable(at) {
			continue // it covers nothing that is reached through it
		}
		if err != nil {
			return err
		}
	}
	return fsys.WalkDir(dir, func(name string, e fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrPermission) || errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		switch {
		case err != nil || !e.IsDir():
			return err
		case e.Name() == ".git":
			return filepath.SkipDir
		case fsys.IsMeta(e.Name()):
			if err := logs(name); err != nil {
				return err
			}
			return filepath.SkipDir
		}
		return nil
	})
}

// readOperations reads a part of a log, nothing where that is another user's or was
// rotated meanwhile.
func (s *Log) readOperations(name string) ([]Operation, error) {
	f, err := s.FS.OpenFile(name, os.O_RDONLY|fsys.NoFollow|fsys.NonBlock, 0)
	if errors.Is(err, fs.ErrPermission) || errors.Is(err, fsys.ErrPlanted) {
		return nil, nil
	}
	if err != nil {
		return nil, fault.UnlessMissing(err)
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return nil, err
	}
	var ops []Operation
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var op Operation
		if strings.HasPrefix(lines.Text(), "{") && json.Unmarshal(lines.Bytes(), &op) == nil {
			ops = append(ops, op)
		}
	}
	return ops, nil
}
