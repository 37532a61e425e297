package recovery

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/jtx-project/jtx/txn/jsonpatch"
	"github.com/jtx-project/jtx/wal"
	"github.com/jtx-project/jtx/wal/fsys"
)

// Key names a file for as long as its workspace lives.
type Key struct {
	Workspace wal.ID
	Path      string // below the workspace's root, slash separated
}

// File is one tracked file whose exclusive lock the caller holds.
type File struct {
	FS     fsys.FS
	Key    Key
	Former []Key  // by which records know it from before its workspace had its history
	Dir    string // .jtx/files/<escaped path>
	Target string // the real path, symlinks resolved
	Limits jsonpatch.Limits
	// Journal is read to plan. Log is the same journal, open for appending; it
	// is nil where the file is only looked at (a dry run, a reader).
	Journal Journal
	Log     *wal.Log
	// Found is what stands under the name; see Look.
	Found Found

	spares []spare
}

// Journal is what planning reads of a file's journal.
type Journal interface {
	State() wal.State
	// Known tells that `state` is of this boot: what it says of the file holds.
	Known() bool
	// Trusted tells that `state` is of this boot, that no commit was cut off,
	// and that the journal ends where it says.
	Trusted() bool
	Empty() bool
	Read(wal.LSN) (*wal.Record, error)
	// Fate is what the journal says of a unit whose record it has dropped; known is
	// false where that is nothing.
	Fate(unit wal.ID, lsn wal.LSN) (f wal.Fact, known bool, err error)
}

// Found is what stands under a file's name. The zero value: nothing.
type Found struct {
	Info    fs.FileInfo // nil where there is no file
	At      time.Time   // when Info was taken
	ID      wal.FileID
	Version wal.Version
	Data    []byte
	Doc     *jsonpatch.Document // nil where Data is no document
	Err     error               // why it is none: a *jsonpatch.SyntaxError

	staged bool // this process made the file, and synced it
}

// Blank tells that a file is there and holds nothing but white space, as touch and
// mktemp make it: it is no document, and nothing is lost where it becomes one.
func (f *Found) Blank() bool { return f.Err != nil && len(bytes.TrimSpace(f.Data)) == 0 }

// Is tells that info is of what was found, with the same mode and owner. Those are
// compared besides the times, which do not tell of what happens within one step of
// the file system's clock.
func (f *Found) Is(info fs.FileInfo) bool {
	return f.Info != nil && wal.FileIDOf(info) == f.ID && sameAccess(info, f.Info)
}

func sameAccess(a, b fs.FileInfo) bool { return a.Mode() == b.Mode() && sameOwner(a, b) }

// ErrNotRegular is returned where a directory, FIFO, device or socket stands
// under the name of a tracked file.
var ErrNotRegular = errors.New("not a regular file")

// SettleTime is how long a file that is no document is looked at again before
// that counts: many editors truncate first and write then.
const SettleTime = 100 * time.Millisecond

// Look reads the file under its name and validates it, unless its bytes are
// known to be the document that the newest version holds.
func (f *File) Look() error { return LookAll([]*File{f})[0] }

// LookAll looks at files. Those that may be about to be saved, since they are no
// document or have gone, are looked at again for SettleTime, all together. It returns
// an error for each file.
func LookAll(files []*File) []error {
	errs := make([]error, len(files))
	deadline := time.Now().Add(SettleTime)
	for first := true; ; first = false {
		again := false
		for i, f := range files {
			if errs[i] != nil || !first && !f.unsure() {
				continue
			}
			f.Found, errs[i] = Read(f.FS, f.Target, f.Journal.State(), f.Limits)
			again = again || errs[i] == nil && f.unsure()
		}
		if !again || time.Now().After(deadline) {
			return errs
		}
		time.Sleep(SettleTime / 20)
	}
}

// unsure tells that what was found may be one step of a save: another program has
// cut the file short, or removed it, to write it anew.
func (f *File) unsure() bool {
	switch {
	case f.Found.Info == nil:
		return f.Journal.State().Content.Exists && !f.longGone()
	case f.Found.Err != nil:
		return recent(f.Found.Info)
	}
	return false
}

// longGone tells that the file was not removed just now: its directory, or what is
// left of the way there, has not changed for a while.
func (f *File) longGone() bool {
	for dir := filepath.Dir(f.Target); ; dir = filepath.Dir(dir) {
		info, err := f.FS.Stat(dir)
		if err == nil {
			return !recent(info)
		}
		if dir == filepath.Dir(dir) {
			return false
		}
	}
}

// recent tells that a file changed just now by its own times, or that these say
// nothing.
func recent(info fs.FileInfo) bool {
	age := time.Since(info.ModTime())
	return age <= SettleTime || age >= 100*365*24*time.Hour
}

// Read reads what stands under name. The content that known names is not validated
// again; the zero State knows none. A name that holds no regular file is
// ErrNotRegular.
func Read(fsy fsys.FS, name string, known wal.State, lim jsonpatch.Limits) (Found, error) {
	// Without O_NONBLOCK the open of a FIFO would wait for its writer.
	f, err := fsy.OpenFile(name, os.O_RDONLY|fsys.NonBlock, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return Found{}, nil
	}
	if errors.Is(err, syscall.ENXIO) {
		return Found{}, fmt.Errorf("%s: %w", name, ErrNotRegular)
	}
	if err != nil {
		return Found{}, err
	}
	defer f.Close()
	return readOpen(f, known, lim)
}

func readOpen(f fsys.File, known wal.State, lim jsonpatch.Limits) (Found, error) {
	at := time.Now()
	info, err := f.Stat()
	if err != nil {
		return Found{}, err
	}
	if !info.Mode().IsRegular() {
		return Found{}, fmt.Errorf("%s: %w", f.Name(), ErrNotRegular)
	}
	if err := lim.CheckSize(info.Size()); err != nil {
		return Found{}, fmt.Errorf("%s: %w", f.Name(), err)
	}
	data, err := fsys.ReadAll(f)
	if err != nil {
		return Found{}, err
	}
	found := Found{Info: info, At: at, ID: wal.FileIDOf(info), Version: wal.VersionOf(data), Data: data}
	switch {
	case found.Version != known.Content:
		found.Doc, found.Err = jsonpatch.Parse(data, lim)
	case known.Strict:
		found.Doc = jsonpatch.Trusted(data, jsonpatch.Strict)
	default:
		found.Doc = jsonpatch.Trusted(data, jsonpatch.JSONC)
	}
	return found, nil
}

// StandsAsSettled tells that what was found is the version that `state` says was put
// in place, or adopted, where it says so of any.
func (f *File) StandsAsSettled() bool {
	st := f.Journal.State()
	return st.Applied == 0 || f.Found.Version == st.Content || !st.Content.Exists && f.Found.Blank()
}

// foundStrict tells whether v, if that is what was found, is strict JSON. Where
// nobody has looked for comments yet, this does.
func (f *File) foundStrict(v wal.Version) bool {
	return f.Found.Version == v && isStrict(f.Found.Doc)
}

func isStrict(doc *jsonpatch.Document) bool {
	return doc != nil && doc.Syntax() == jsonpatch.Strict
}

// Temp is the name beside target under which its next content is staged. What a
// crash left there was never under the target's name, and may be half written.
func Temp(target string) string { return beside(target, ".tmp") }

// Displaced is the name beside target with which the target is exchanged, after
// the commit point. What a crash left there is the committed content, or what
// stood under the target's name before: what another program saved in the instant
// before the exchange, if one did. A name of its own tells that from content that
// was staged and never committed.
func Displaced(target string) string { return beside(target, ".old") }

// beside is a function of the name, so that whoever holds the target's lock finds
// what a crash left.
func beside(target, suffix string) string {
	dir, base := filepath.Split(target)
	sum := wal.Sum([]byte(base))
	return filepath.Join(dir, ".jtx-"+sum.String()+suffix)
}

// Newest is the record of the newest version: the last one that no abort takes
// back. It is nil where the journal is empty. Whether its unit is committed is
// for DecideUnit to say.
func (f *File) Newest() (*wal.Record, error) {
	return newestAt(f.Journal.Read, f.Journal.State().Last)
}

// newestAt walks back from lsn to the first record that gives a version and is
// not taken back by an abort record behind it.
func newestAt(read func(wal.LSN) (*wal.Record, error), lsn wal.LSN) (*wal.Record, error) {
	for lsn > 0 {
		rec, err := read(lsn)
		if errors.Is(err, wal.ErrNotFound) {
			return nil, nil // compaction has dropped it
		}
		if err != nil {
			return nil, err
		}
		switch {
		case rec.Kind == wal.KindAbort:
			lsn -= 2 // an abort stands directly behind the record it takes back
		case rec.MakesVersion():
			return rec, nil
		default:
			lsn--
		}
	}
	return nil, nil
}
