package wal

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/jtx-project/jtx/wal/fsys"
)

const (
	genPrefix   = "wal."
	genTemp     = ".tmp"  // of a generation that is being built
	tempSuffix  = ".TEMP" // tidwall/wal's own, and that of a copied tail
	copySuffix  = ".COPY" + tempSuffix
	groupSuffix = ".d"
	lsnDigits   = 20

	// groupSegments is how many segments a directory gets. tidwall/wal's Open
	// looks at each file of its directory, so a directory must not grow with the
	// history.
	groupSegments = 16
)

// careful is given wherever a file is opened. A symbolic link is refused: who may
// write the directory could otherwise have us write into another file of ours. A
// FIFO doesn't block.
const careful = fsys.NoFollow | fsys.NonBlock

// segment is one file of the journal.
type segment struct {
	first LSN // of its first record, which names it
	last  LSN // of its last record, where it is compressed; else 0
	group LSN // of its sub-directory, 0 where it is in none
	path  string
}

func lsnName(lsn LSN) string { return fmt.Sprintf("%0*d", lsnDigits, uint64(lsn)) }

// groupDir is the directory of a group's segments.
func groupDir(journal string, group LSN) string {
	if group == 0 {
		return journal
	}
	return filepath.Join(journal, lsnName(group)+groupSuffix)
}

func segmentPath(journal string, group, first LSN) string {
	return filepath.Join(groupDir(journal, group), lsnName(first))
}

// JournalDir is the directory of the journal that belongs to the file directory
// dir, and its generation: the greatest that has a name. It need not exist.
func JournalDir(fsy fsys.FS, dir string) (path string, gen uint32, err error) {
	entries, err := fsy.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", 0, err
	}
	for _, e := range entries {
		n, ok := parseGen(e.Name())
		if ok && !e.IsDir() {
			return "", 0, &CorruptError{Path: filepath.Join(dir, e.Name()), Reason: "not a directory"}
		}
		if ok {
			gen = max(gen, n)
		}
	}
	return journalDir(dir, gen), gen, nil
}

// journalDir is where a generation has its segments: the first one in the file's own
// directory.
func journalDir(dir string, gen uint32) string {
	if gen == 0 {
		return dir
	}
	return filepath.Join(dir, genPrefix+strconv.FormatUint(uint64(gen), 10))
}

// parseGen reads the name of a generation's directory.
func parseGen(name string) (uint32, bool) {
	digits, ok := strings.CutPrefix(name, genPrefix)
	n, err := strconv.ParseUint(digits, 10, 32)
	return uint32(n), ok && err == nil && n > 0 && strconv.FormatUint(n, 10) == digits
}

// isUnfinished tells of the name under which a generation is built.
func isUnfinished(name string) bool {
	gen, ok := strings.CutSuffix(name, genTemp)
	_, is := parseGen(gen)
	return ok && is
}

// listing is what a journal's directory holds.
type listing struct {
	dir      string
	segments []segment // by first LSN
	temps    []string  // paths of files that were never finished
	replaced []replaced
}

// replaced is a segment that a crash kept from being removed when its records had
// been compressed into another.
type replaced struct{ path, by string }

// listJournal reads the names. A journal that doesn't exist is an empty listing.
func listJournal(fsy fsys.FS, journal string, gen uint32) (listing, error) {
	l := listing{dir: journal}
	if err := l.add(fsy, 0); err != nil {
		return listing{}, err
	}
	slices.SortFunc(l.segments, func(a, b segment) int {
		return cmp.Or(cmp.Compare(a.first, b.first), cmp.Compare(b.last, a.last))
	})
	l.dropReplaced()
	return l, l.check(gen)
}

func (l *listing) add(fsy fsys.FS, group LSN) error {
	dir := groupDir(l.dir, group)
	info, err := fsy.Lstat(dir)
	if err == nil && !info.IsDir() {
		return &CorruptError{Path: dir, LSN: max(group, 1), Reason: "not a directory"}
	}
	names, err := fsy.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, entry := range names {
		if err := l.addName(fsy, dir, group, entry); err != nil {
			return err
		}
	}
	return nil
}

// isSegment tells of the names of segments, of groups of them, and of what becomes one.
func isSegment(name string) bool {
	if len(name) < lsnDigits {
		return false
	}
	first, err := strconv.ParseUint(name[:lsnDigits], 10, 64)
	return err == nil && first > 0
}

// segmentBounds reads the LSNs in the name of a segment. last is 0 where it says none.
func segmentBounds(name string) (first, last LSN) {
	n, _ := strconv.ParseUint(name[:lsnDigits], 10, 64)
	last, _ = packedLast(name[lsnDigits:])
	return LSN(n), last
}

func (l *listing) addName(fsy fsys.FS, dir string, group LSN, entry fs.DirEntry) error {
	name := entry.Name()
	path := filepath.Join(dir, name)
	if len(name) < lsnDigits {
		return nil
	}
	first, err := strconv.ParseUint(name[:lsnDigits], 10, 64)
	if err != nil || first == 0 {
		//lint:ignore nilerr it has the name of no segment
		return nil
	}
	rest := name[lsnDigits:]
	last, packed := packedLast(rest)
	switch {
	case rest == groupSuffix && entry.IsDir() && group == 0:
		return l.add(fsy, LSN(first))
	case entry.IsDir():
	case !entry.Type().IsRegular():
		// tidwall/wal's Open would follow a link, or wait for a FIFO.
		return &CorruptError{Path: path, LSN: LSN(first), Reason: "not a regular file"}
	case rest == "", packed && last >= LSN(first):
		l.segments = append(l.segments, segment{first: LSN(first), last: last, group: group, path: path})
	case strings.HasSuffix(rest, tempSuffix):
		l.temps = append(l.temps, path)
	case rest == ".START" || rest == ".END":
		// tidwall/wal's Open would finish this by deleting segments.
		return &CorruptError{Path: path, LSN: LSN(first), Reason: "a truncation, which this program never makes"}
	}
	return nil
}

// dropReplaced takes the segments off the list that a compressed one holds: a crash
// kept them from being removed, all or some.
func (l *listing) dropReplaced() {
	var packed segment
	l.segments = slices.DeleteFunc(l.segments, func(s segment) bool {
		if s.last > 0 {
			packed = s
		} else if s.first <= packed.last {
			l.replaced = append(l.replaced, replaced{s.path, packed.path})
			return true
		}
		return false
	})
}

// check finds what the names alone betray. The rest of a gap shows when the
// segments are read.
func (l *listing) check(gen uint32) error {
	if len(l.segments) > 0 && gen == 0 && l.segments[0].first != 1 {
		return &CorruptError{Path: l.dir, LSN: 1, Reason: fmt.Sprintf("the first segment begins at %d", l.segments[0].first)}
	}
	for i := 1; i < len(l.segments); i++ {
		if s, before := l.segments[i], l.segments[i-1]; s.first <= max(before.first, before.last) {
			return &CorruptError{Path: s.path, LSN: s.first, Reason: "two segments hold what begins there"}
		}
	}
	if n := len(l.segments); n > 0 && l.segments[n-1].last > 0 {
		s := l.segments[n-1]
		return &CorruptError{Path: s.path, LSN: s.last + 1, Reason: "the segment behind a compressed one is missing"}
	}
	return nil
}

// limit is where segment i's records end because the next segment's begin, or 0
// in the last one.
func (l *listing) limit(i int) LSN {
	if i+1 < len(l.segments) {
		return l.segments[i+1].first
	}
	return 0
}

// holding is the index of the segment that holds lsn, if it exists; the first one
// for an earlier lsn.
func (l *listing) holding(lsn LSN) int {
	i, found := slices.BinarySearchFunc(l.segments, lsn, func(s segment, lsn LSN) int { return cmp.Compare(s.first, lsn) })
	if !found && i > 0 {
		i--
	}
	return i
}
