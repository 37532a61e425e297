package history

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/jtx-project/jtx/txn"
	"github.com/jtx-project/jtx/txn/internal/versions"
	"github.com/jtx-project/jtx/txn/internal/workspace"
	"github.com/jtx-project/jtx/wal"
)

// Point names a version of a file, or a state of several: by revision, by a
// transaction, or by a time. The zero Point is the current one.
type Point struct {
	kind pointKind
	rev  uint64 // or how many versions before the current one
	tx   wal.ID
	time time.Time
	// moment is what a time or a transaction comes to in the histories looked at.
	moment *versions.Moment
}

type pointKind uint8

const (
	pointCurrent pointKind = iota
	pointRev
	pointBack
	pointTx
	pointTime
	pointMoment
)

// AtRev is the version that the file's rev-th commit made, from 1.
func AtRev(rev uint64) Point { return Point{kind: pointRev, rev: rev} }

// Back is the version n before the current one.
func Back(n uint64) Point { return Point{kind: pointBack, rev: n} }

// AtTx is the state that a transaction left.
func AtTx(id wal.ID) Point { return Point{kind: pointTx, tx: id} }

// AtTime is the state at a time: of all that was committed up to then.
func AtTime(t time.Time) Point { return Point{kind: pointTime, time: t} }

// The forms of a time before now are compiled when they are first used: most
// processes use none.
var (
	agoPart = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`([0-9]+(?:\.[0-9]+)?) ?(ns|us|µs|ms|seconds?|secs?|s|minutes?|mins?|m|hours?|h|days?|d|weeks?|w)`)
	})
	agoForm = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`^` + agoPart().String() + `(?: ?` + agoPart().String() + `)* ago$`)
	})
)

var units = map[string]time.Duration{
	"ns": time.Nanosecond, "us": time.Microsecond, "µs": time.Microsecond, "ms": time.Millisecond,
	"s": time.Second, "m": time.Minute, "h": time.Hour, "d": 24 * time.Hour, "w": 7 * 24 * time.Hour,
}

// ParsePoint reads what stands behind the @ of FILE@VERSION: a revision (7), a
// number of versions back (-1), a transaction's id, an RFC 3339 time, a date, or a
// time before now (2h, 2h ago, 1d12h ago, 2 days ago). It fails with ErrInvalid.
func ParsePoint(text string, now time.Time) (Point, error) {
	if n, err := strconv.ParseUint(strings.TrimPrefix(text, "-"), 10, 64); err == nil {
		if strings.HasPrefix(text, "-") {
			return Back(n), nil
		}
		return AtRev(n), nil
	}
	if id, err := wal.ParseID(text); err == nil {
		return AtTx(id), nil
	}
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		return AtTime(t), nil
	}
	if t, err := time.Parse(time.DateOnly, text); err == nil {
		return AtTime(t), nil // its beginning, in UTC
	}
	if agoForm().MatchString(text) || agoForm().MatchString(text+" ago") {
		return AtTime(now.Add(-parseAgo(text))), nil
	}
	return Point{}, &txn.Error{Kind: txn.ErrInvalid, Err: fmt.Errorf("version %q: want a revision, a transaction's id, an RFC 3339 time, or a time such as \"2h ago\"", text)}
}

func parseAgo(text string) time.Duration {
	var ago float64
	for _, part := range agoPart().FindAllStringSubmatch(text, -1) {
		n, _ := strconv.ParseFloat(part[1], 64) // the pattern lets only numbers through; too many digits are infinity
		unit, short := units[part[2]]
		if !short { // minutes
			unit = units[part[2][:1]]
		}
		ago += n * float64(unit)
	}
	return time.Duration(min(ago, float64(1<<62)))
}

// NoVersionError says why a file has no such version as was asked for.
type NoVersionError struct{ Why string }

func (e *NoVersionError) Error() string { return e.Why }

func noVersion(format string, args ...any) error {
	return &NoVersionError{fmt.Sprintf(format, args...)}
}

// FileVersion is one version of a file.
type FileVersion struct {
	File string // absolute, as the caller named it
	// Rev is its revision, 0 where the file has no version so old.
	Rev  uint64
	Tx   wal.ID
	Time time.Time // when it was committed
	// Exists is false where the file was not there then; Data is its bytes.
	Exists bool
	Data   []byte
}

// ReadVersion derives a version of a file from its journal alone. It fails with
// ErrNotFound where the history has none such, be it because retention has
// dropped it. Time depends on how far the nearest image before it is, not on the
// length of the history.
func ReadVersion(ctx context.Context, store *txn.Store, file string, p Point) (FileVersion, error) {
	s := of(store)
	h, err := s.HeadOf(ctx, file)
	if err != nil {
		return FileVersion{}, err
	}
	if p, err = s.fixed(ctx, []versions.Head{h}, p); err != nil {
		return FileVersion{}, err
	}
	rec, err := s.locate(h, p)
	if err != nil {
		return FileVersion{}, err
	}
	if rec == nil {
		return FileVersion{}, &txn.Error{Kind: txn.ErrNotFound, File: h.Target.Name, Err: noVersion("has no version so old")}
	}
	return s.fileVersion(h.Target, rec)
}

// ReadVersions derives the versions of several files at one point: by a time or a
// transaction it is one consistent state of them.
func ReadVersions(ctx context.Context, store *txn.Store, files []string, p Point) ([]FileVersion, error) {
	s := of(store)
	var targets []*workspace.Target
	for _, f := range files {
		t, err := s.Resolve(ctx, s.Abs(f))
		if err != nil {
			return nil, err
		}
		targets = append(targets, t)
	}
	heads, err := s.Heads(ctx, targets, versions.Looking{})
	if err != nil {
		return nil, err
	}
	if p, err = s.fixed(ctx, heads, p); err != nil {
		return nil, err
	}
	var list []FileVersion
	for i, h := range heads {
		v := FileVersion{File: targets[i].Name}
		if h.Last == 0 {
			return nil, h.NoHistory()
		}
		rec, err := s.locate(h, p)
		if err != nil {
			return nil, err
		}
		if rec != nil {
			if v, err = s.fileVersion(targets[i], rec); err != nil {
				return nil, err
			}
		}
		list = append(list, v)
	}
	return list, nil
}

func (s past) fileVersion(t *workspace.Target, rec *wal.Record) (FileVersion, error) {
	v := FileVersion{File: t.Name, Rev: rec.Rev, Tx: versions.IdOf(rec), Time: rec.Made(), Exists: rec.After.Exists}
	doc, err := s.ContentOf(t, rec)
	if doc != nil {
		v.Data = doc.Bytes()
	}
	return v, err
}

// locate finds the record of a version, of a point that is fixed. It is nil where the file
// has none so old by time.
func (s past) locate(h versions.Head, p Point) (*wal.Record, error) {
	switch p.kind {
	case pointRev:
		return s.atRev(h, p.rev)
	case pointBack:
		current := h.Rev
		if h.Ahead {
			current++ // what stands there will be the next revision
		}
		if p.rev >= current {
			return nil, &txn.Error{Kind: txn.ErrNotFound, File: h.Target.Name, Err: noVersion("has %d versions, none is %d before the current one", current, p.rev)}
		}
		return s.atRev(h, min(current-p.rev, h.Rev))
	case pointMoment:
		return s.AtMoment(h, p.moment)
	default:
		return s.VersionAt(h.Target, h.Last)
	}
}

func (s past) atRev(h versions.Head, rev uint64) (*wal.Record, error) {
	rec, err := s.LastVersionWhere(h, func(rec *wal.Record) bool { return rec.Rev <= rev })
	if err != nil {
		return nil, err
	}
	switch {
	case rev > h.Rev || rev == 0:
		return nil, &txn.Error{Kind: txn.ErrNotFound, File: h.Target.Name, Err: noVersion("has no revision %d: the newest is %d", rev, h.Rev)}
	case rec == nil || rec.Rev != rev:
		return nil, &txn.Error{Kind: txn.ErrNotFound, File: h.Target.Name, Err: fmt.Errorf("revision %d is not kept any more", rev)}
	}
	return rec, nil
}

// fixed makes a moment of a time or a transaction. It looks for a transaction in the given
// files first.
func (s past) fixed(ctx context.Context, heads []versions.Head, p Point) (Point, error) {
	var err error
	switch p.kind {
	case pointTime:
		p.kind = pointMoment
		p.moment, err = s.MomentOf(heads, p.time)
	case pointTx:
		var rec *wal.Record
		if rec, err = s.recordIn(ctx, heads, p.tx); err == nil {
			find := func(h versions.Head) (*wal.Record, error) { return s.recordOf(h, p.tx) }
			p = Point{kind: pointMoment, tx: p.tx, time: rec.Made()}
			p.moment, err = s.Behind(heads, rec, find)
		}
	}
	return p, err
}

// recordIn finds a record of a transaction: in the given files, else in any.
func (s past) recordIn(ctx context.Context, heads []versions.Head, id wal.ID) (*wal.Record, error) {
	for _, h := range heads {
		if h.Err != nil {
			continue
		}
		if rec, err := s.recordOf(h, id); rec != nil || err != nil {
			return rec, err
		}
	}
	found, err := s.findTx(ctx, id)
	if err != nil {
		return nil, err
	}
	return found[0].rec, nil
}

// Time is the time of a point that is one, else zero.
func (p Point) Time() time.Time { return p.time }

var errNoMoment = errors.New("want a time or a transaction")

// MomentOf makes a moment of a point that is a time or a transaction, in the histories
// looked at, and tells its time. A revision has none that is the same for all files.
func MomentOf(ctx context.Context, store *txn.Store, heads []versions.Head, p Point) (*versions.Moment, time.Time, error) {
	p, err := of(store).fixed(ctx, heads, p)
	if err == nil && p.kind != pointMoment {
		err = &txn.Error{Kind: txn.ErrInvalid, Err: errNoMoment}
	}
	return p.moment, p.time, err
}
