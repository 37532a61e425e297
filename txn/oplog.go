package txn

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
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

// The log of a workspace is .jtx/log/now.ndjson, and older parts named by the time
// of their end. A part is an eighth of what all may have.
const (
	logDir   = "log"
	logNow   = "now.ndjson"
	logParts = 8
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

// outcomeOf names how a transaction ended.
func outcomeOf(err error) string {
	switch {
	case err == nil:
		return "ok"
	case errors.Is(err, ErrInDoubt):
		return "in-doubt"
	case errors.Is(err, ErrDamaged):
		return "damaged"
	case errors.Is(err, ErrLockTimeout):
		return "locked"
	case errors.Is(err, ErrConflict):
		return "conflict"
	case errors.Is(err, ErrInvalid):
		return "invalid"
	default:
		return "error"
	}
}

// logOperation logs a transaction, but for one that changed nothing.
func (s *Store) logOperation(names []string, c *call, began time.Time, res Result, err error) {
	if err != nil || !res.ID.IsZero() {
		s.logOutcome(names, c, began, res, err)
	}
}

// logOutcome adds a line to the log of each workspace that has a part in what was
// done. It is no part of that: it syncs nothing, and where it fails there is one
// line less.
func (s *Store) logOutcome(names []string, c *call, began time.Time, res Result, err error) {
	if s.opt.Verb == "" || c.dryRun || errors.Is(err, ErrNotFound) {
		return
	}
	op := Operation{
		Time: began.UTC(), Verb: s.opt.Verb, Actor: c.actor, Outcome: outcomeOf(err),
		WaitMicros: res.Waited.Microseconds(), TotalMicros: time.Since(began).Microseconds(),
	}
	if !res.ID.IsZero() {
		op.TX = res.ID.String()
	}
	if op.Outcome == "locked" {
		op.WaitMicros = op.TotalMicros
	}
	if err != nil {
		op.Error = truncate(err.Error(), 500)
	}
	for root, files := range s.byWorkspace(names, c.targets) {
		op.Files = files
		s.appendOperation(root, op)
	}
}

func truncate(text string, n int) string { return text[:min(n, len(text))] }

// byWorkspace sorts files, relative to the roots of the workspaces they are in. Of
// those that were locked it is known; others are looked for.
func (s *Store) byWorkspace(names []string, locked []*target) map[string][]string {
	files := map[string][]string{}
	for _, name := range names {
		i := slices.IndexFunc(locked, func(t *target) bool { return t.name == name })
		if i >= 0 {
			root := locked[i].ws.root
			files[root] = append(files[root], filepath.FromSlash(locked[i].rel))
			continue
		}
		real, err := realPath(s.fs, name)
		if err != nil {
			continue
		}
		for at := filepath.Dir(real); ; at = filepath.Dir(at) {
			w, err := s.readWorkspace(at, os.Geteuid())
			if err == nil && w != nil && w.covers(filepath.Dir(real)) {
				rel, _ := filepath.Rel(at, real)
				files[at] = append(files[at], rel)
				break
			}
			if err != nil || at == filepath.Dir(at) {
				break
			}
		}
	}
	return files
}

// appendOperation writes one line with one call, so that lines of several
// processes don't mix. There is nobody to tell where it fails.
func (s *Store) appendOperation(root string, op Operation) {
	limit, on := s.logLimit(root)
	line, err := marshal(op)
	if err != nil || !on {
		return
	}
	a, err := s.accessOfDir(root, os.Geteuid())
	if err != nil {
		return
	}
	dir := filepath.Join(root, metaDir, logDir)
	name := filepath.Join(dir, logNow)
	f, err := s.fs.OpenFile(name, os.O_WRONLY|os.O_APPEND|os.O_CREATE, a.file)
	if errors.Is(err, fs.ErrNotExist) && a.mkdir(s.fs, dir) == nil {
		f, err = s.fs.OpenFile(name, os.O_WRONLY|os.O_APPEND|os.O_CREATE, a.file)
	}
	if err != nil {
		return
	}
	info, err := f.Stat()
	if err == nil && info.Size() == 0 {
		_ = a.apply(f, a.file) // the umask may have taken something off
	}
	_, _ = f.Write(append(line, '\n'))
	_ = f.Close()
	if err == nil && info.Size() > limit/logParts {
		s.rotateLog(dir, limit)
	}
}

func (s *Store) logLimit(root string) (limit int64, on bool) {
	values, err := s.readSettings(root)
	if err != nil {
		return 0, false
	}
	limit = DefaultLogBytes
	if n, err := strconv.ParseInt(string(values[SettingLogBytes]), 10, 64); err == nil {
		limit = max(n, MinLogBytes)
	}
	return limit, string(values[SettingLog]) != "false"
}

// rotateLog ends a part. Two processes may do it at once: then one part is small.
func (s *Store) rotateLog(dir string, limit int64) {
	if s.fs.Rename(filepath.Join(dir, logNow), endedLog(dir)) != nil {
		return
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return
	}
	slices.Reverse(entries) // the newest first; now.ndjson sorts behind the times
	var total int64
	for _, e := range entries {
		info, err := e.Info()
		if err != nil {
			continue
		}
		if total += info.Size(); total > limit && e.Name() != logNow {
			_ = s.fs.Remove(filepath.Join(dir, e.Name()))
		}
	}
}

// endedLog is the name of a part that ends now.
func endedLog(dir string) string {
	return filepath.Join(dir, now().Format("20060102T150405.000000000Z")+".ndjson")
}

// logNames lists the parts of the log of the workspace at root.
func (s *Store) logNames(root string) []string {
	dir := filepath.Join(root, metaDir, logDir)
	entries, err := s.fs.ReadDir(dir)
	if err != nil {
		return nil // there is none, or none that can be read
	}
	var names []string
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), ".ndjson") {
			names = append(names, filepath.Join(dir, e.Name()))
		}
	}
	return names
}

// Operations reads the logs of the workspaces at, above and below the store's
// directory, oldest first. What is no line of a log is passed over.
func (s *Store) Operations(since time.Time) ([]Operation, error) {
	dir, err := realDir(s.dir)
	if err != nil {
		return nil, fail(s.dir, err)
	}
	var ops []Operation
	err = s.eachLog(dir, func(root, name string) error {
		part, err := readOperations(name)
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
	return ops, fail(s.dir, err)
}

func (s *Store) eachLog(dir string, fn func(root, name string) error) error {
	logs := func(root string) (err error) {
		for _, name := range s.logNames(root) {
			err = errors.Join(err, fn(root, name))
		}
		return err
	}
	for at := filepath.Dir(dir); at != filepath.Dir(at); at = filepath.Dir(at) {
		if err := logs(at); err != nil {
			return err
		}
	}
	return filepath.WalkDir(dir, func(name string, e fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrPermission) || errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil || !e.IsDir() {
			return err
		}
		if e.Name() == metaDir || e.Name() == ".git" {
			return filepath.SkipDir
		}
		return logs(name)
	})
}

func readOperations(name string) ([]Operation, error) {
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, ignoreMissing(err) // it was rotated meanwhile
	}
	var ops []Operation
	lines := bufio.NewScanner(bytes.NewReader(data))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var op Operation
		if strings.HasPrefix(lines.Text(), "{") && json.Unmarshal(lines.Bytes(), &op) == nil {
			ops = append(ops, op)
		}
	}
	return ops, nil
}
