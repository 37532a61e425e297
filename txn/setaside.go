package txn

import (
	"context"
	"errors"
	"io/fs"

	"github.com/jtx-project/jtx/recover"
	"github.com/jtx-project/jtx/wal"
)

// SetAside gives a file whose journal is damaged a new one: the damaged journal is
// moved below the file's `damaged` directory, whole, and is never removed; the new
// one goes on with the next revision, which is what the file holds. It returns where the damaged one is. It
// fails with ErrInvalid where the journal is not damaged, and with ErrDamaged where
// the file holds no document, which must be mended first.
func (s *Store) SetAside(ctx context.Context, file string) (kept string, err error) {
	t, err := s.resolve(ctx, s.abs(file))
	if err != nil {
		return "", err
	}
	if t.ws == nil {
		return "", noHistory(t)
	}
	if _, err := s.fs.Lstat(t.dir); errors.Is(err, fs.ErrNotExist) {
		return "", noHistory(t)
	}
	err = s.locked(ctx, []string{t.name}, locking{shut: true}, func(ses *session) error {
		kept, err = ses.setAside(ses.targets[0])
		return err
	})
	return kept, err
}

// setAside moves the journal of a file that is locked, and begins another.
func (ses *session) setAside(t *target) (kept string, err error) {
	s := ses.s
	if err := s.mustBeDamaged(ses.ctx, t); err != nil {
		return "", fail(t.name, err)
	}
	found, err := recovery.Read(s.fs, t.real, wal.State{}, s.opt.Limits)
	if err != nil {
		return "", fail(t.name, err)
	}
	if found.Err != nil {
		return "", &Error{Kind: ErrDamaged, File: t.name, Err: errorf("neither the journal nor the file is whole: mend the file first: %w", found.Err)}
	}
	a, err := s.accessFor(t)
	if err == nil {
		kept, err = wal.SetAside(t.dir, s.journalOptions(t, a))
	}
	if err == nil {
		err = recovery.Tell(s.fs, t.dir, recovery.Notice{What: recovery.NoticeJournal, Kept: kept})
	}
	if err == nil {
		err = ses.beginAnew(t)
	}
	return kept, fail(t.name, err)
}

// mustBeDamaged refuses to set a journal aside that still tells the history.
func (s *Store) mustBeDamaged(ctx context.Context, t *target) error {
	if t.lost != nil {
		return nil
	}
	report, err := wal.Inspect(s.fs, t.dir)
	if err == nil && len(report.Damage) == 0 {
		err = s.replayAll(ctx, t)
	} else if err == nil {
		return nil
	}
	switch {
	case err == nil:
		return &Error{Kind: ErrInvalid, File: t.name, Err: errorf("its journal is not damaged: nothing is set aside")}
	case errors.Is(fail(t.name, err), ErrDamaged):
		return nil
	}
	return err
}

// beginAnew records what the file holds as the first version of a new journal. Where that
// is cut off, whoever next uses the file does it.
func (ses *session) beginAnew(t *target) error {
	if err := ses.open(t); err != nil || !t.file.Found.Version.Exists {
		return err
	}
	rec, err := t.file.Adoption(nil)
	if err != nil {
		return err
	}
	return t.file.AppendAdoption(rec)
}
