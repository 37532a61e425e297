package txn

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"reflect"
	"time"

	"github.com/jtx-project/jtx/recover"
	"github.com/jtx-project/jtx/txn/internal/doors"
	"github.com/jtx-project/jtx/txn/internal/fault"
	"github.com/jtx-project/jtx/txn/internal/workspace"
	"github.com/jtx-project/jtx/txn/jsonpatch"
	"github.com/jtx-project/jtx/wal"
)

// Revision is a file's place in its history after a transaction.
type Revision struct {
	File    string `json:"file"` // as the caller named it
	Rev     uint64 `json:"rev"`
	Changed bool   `json:"changed"`
	// Patch is what the transaction did to the file.
	Patch jsonpatch.Patch `json:"patch,omitempty"`
}

// Result is what a transaction did.
type Result struct {
	// ID is the transaction's id, the zero ID where nothing was changed.
	ID wal.ID
	// Files are the listed files in the caller's order.
	Files []Revision
	// Warnings are what the commit could not do, though it is committed: an
	// owner that was not kept, a file that recovery will have to replace.
	Warnings []string
	// Recovered is what was found unfinished or edited outside, and settled
	// before the transaction ran.
	Recovered []recovery.Done
	// Waited is the time spent on locks.
	Waited time.Duration
}

// call is one transaction's own, beside its function.
type call struct {
	message, actor string
	request        string
	origins        []wal.Origin // where what it does is from
	durability     Durability
	special

	deadline time.Time           // of the wait for locks, where it began before
	parks    bool                // the session may be kept for the next call
	inLine   func()              // called when it has its place in its group
	returns  bool                // it came at once behind the last one on the same files
	targets  []*workspace.Target // those whose locks it held last
	made     []*workspace.Workspace
}

// special is what a transaction asks for that it can't share: with the others of a
// group, nor with the next one on the same files.
type special struct {
	doors.Locking
	inPlace    bool
	dryRun     bool
	expect     map[string]Expected    // by absolute name
	tx         wal.ID                 // the transaction's id where it has one already
	transfer   *transfer              // between two of the files
	modes      map[string]fs.FileMode // by real path: no wider than that
	bringsBack bool                   // a file that is not there gets the mode that it had
	parents    *parents               // nil: missing directories are an error
	replace    bool                   // its end may be there already
	fence      func(*session) error   // last check before the commit
}

// plain tells that the call sets nothing but what each transaction of a group has
// for itself, and the durability.
func (c *call) plain() bool { return reflect.ValueOf(&c.special).Elem().IsZero() }

// An Option changes one transaction.
type Option func(*call)

// WithMessage records a message with the transaction.
func WithMessage(m string) Option { return func(c *call) { c.message = m } }

// WithActor records who did it, instead of the store's actor.
func WithActor(a string) Option {
	return func(c *call) {
		if a != "" {
			c.actor = a
		}
	}
}

// WithRequest records a client's own name for what it asks for, of at most
// [wal.MaxRequestID] bytes: where the answer is lost, the history tells by it whether the
// transaction was committed.
func WithRequest(id string) Option { return func(c *call) { c.request = id } }

// WhenInLine has fn called, before Do returns, when those who come later for the same files
// at the same durability are committed behind the transaction, or with it and run behind it.
// One that is not committed in groups does not call it. fn must not wait.
func WhenInLine(fn func()) Option { return func(c *call) { c.inLine = fn } }

// WithDurability sets the level for this transaction.
func WithDurability(d Durability) Option { return func(c *call) { c.durability = d } }

// WithInPlace overwrites the files instead of renaming over them.
func WithInPlace() Option { return func(c *call) { c.inPlace = true } }

// DryRun runs the function and reports the patches, but changes nothing and
// records nothing: what was edited outside or cut off is seen as the next access
// will settle it.
func DryRun() Option { return func(c *call) { c.dryRun = true } }

func (s *Store) newCall(opts []Option) *call {
	c := &call{actor: s.opt.Actor, durability: s.opt.Durability}
	c.inPlace = s.opt.InPlace
	for _, o := range opts {
		o(c)
	}
	return c
}

// Do runs fn in a transaction over files, relative to the working directory, and
// commits what it did: all of it, durably, or nothing. See [Store.Do].
func Do(files []string, fn func(*Tx) error) error {
	return DoContext(context.Background(), files, fn)
}

// DoContext is [Do] with a context, which ends the wait for locks, and the transaction as
// long as that is not committed.
func DoContext(ctx context.Context, files []string, fn func(*Tx) error) error {
	s, err := shared()
	if err != nil {
		return err
	}
	_, err = s.Do(ctx, files, fn)
	return err
}

// Do runs fn in a transaction over files and commits what it did. The files are
// locked until Do returns; fn sees them as they are, and its own changes. Where
// fn returns an error or panics, nothing is changed; a panic goes on after the
// locks are released. fn may be run again, where another program changed a file
// meanwhile, so it must not have effects of its own.
//
// Transactions that come for the same files while one is being committed are
// committed together next, as one revision of each file.
//
// The error wraps one of this package's sentinels where one applies.
func (s *Store) Do(ctx context.Context, files []string, fn func(*Tx) error, opts ...Option) (Result, error) {
	names := s.src.AbsAll(files)
	c := s.newCall(opts)
	if len(c.request) > wal.MaxRequestID {
		return Result{}, &Error{Kind: ErrInvalid, Err: fmt.Errorf("a request id of %d bytes: at most %d", len(c.request), wal.MaxRequestID)}
	}
	if c.dryRun {
		res, err := s.try(ctx, names, c, fn)
		return res.asNamed(files), fault.AsNamed(err, names, files)
	}
	began := time.Now()
	c.deadline, c.parks = began.Add(s.src.Patience()), c.plain()
	m := &member{ctx: ctx, call: c, names: names, fn: fn}
	if s.isClosed() {
		m.err = ErrClosed
	} else {
		s.together(m)
	}
	if m.err != nil || m.res.ID.IsZero() {
		s.unmakeWorkspaces(c)
		s.unmakeParents(c)
	}
	s.logOperation(names, c, began, m.res, m.err)
	if s.opt.TrackProtected && m.err == nil && !m.res.ID.IsZero() {
		s.trackBeside(ctx, names)
	}
	return m.res.asNamed(files), fault.AsNamed(m.err, names, files)
}

// asNamed is the result with the files as the caller gave them.
func (r Result) asNamed(files []string) Result {
	if len(r.Files) == len(files) {
		for i, file := range files {
			r.Files[i].File = file
		}
	}
	return r
}

// protect calls fn, with tx open only for as long as it runs.
func protect(fn func(*Tx) error, tx *Tx) error {
	defer tx.close()
	return fn(tx)
}

// Update reads file into a T, lets fn change it, and writes back what differs:
// members that T does not know keep their place and bytes. A file that is not
// there is the zero T, and is not made where fn leaves that as it is.
func Update[T any](file string, fn func(*T) error) error {
	return UpdateContext(context.Background(), file, fn)
}

// UpdateContext is [Update] with a context, as [DoContext] is [Do] with one.
func UpdateContext[T any](ctx context.Context, file string, fn func(*T) error) error {
	s, err := shared()
	if err != nil {
		return err
	}
	return UpdateIn(ctx, s, file, fn)
}

// UpdateIn is [Update] in a store.
func UpdateIn[T any](ctx context.Context, s *Store, file string, fn func(*T) error, opts ...Option) error {
	_, err := s.Do(ctx, []string{file}, func(tx *Tx) error {
		var v T
		err := tx.Decode(file, "", &v)
		if err != nil && !errors.Is(err, ErrNotFound) {
			return err
		}
		before, err := marshal(v)
		if err != nil {
			return err
		}
		if err := fn(&v); err != nil {
			return err
		}
		after, err := marshal(v)
		if err != nil || bytes.Equal(before, after) {
			return err
		}
		if err := tx.applyChange(file, before, after); err != nil {
			return err
		}
		return checkUpdated[T](tx, file, after)
	}, opts...)
	return err
}

// checkUpdated makes sure that the file now says what the T does. It may not,
// since encoding/json reads a member "Name" into a field called "name", which
// taking away "name" leaves. A T that changes on its way through JSON can't be
// checked.
func checkUpdated[T any](tx *Tx, file string, want []byte) error {
	var v, same T
	if err := tx.Decode(file, "", &v); err != nil {
		return err
	}
	got, err := marshal(v)
	if err != nil || bytes.Equal(got, want) {
		return err
	}
	if json.Unmarshal(want, &same) != nil {
		//lint:ignore nilerr a value that does not come back has nothing to compare
		return nil
	}
	if again, err := marshal(same); err != nil || !bytes.Equal(again, want) {
		//lint:ignore nilerr a value that does not come back has nothing to compare
		return nil
	}
	return &Error{Kind: ErrInvalid, File: file, Err: fmt.Errorf("can't be updated: it has a member that %T reads under another name", v)}
}
