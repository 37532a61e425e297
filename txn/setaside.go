package txn

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/jtx-project/jtx/recover"
	"github.com/jtx-project/jtx/txn/internal/fault"
	"github.com/jtx-project/jtx/txn/internal/versions"
	"github.com/jtx-project/jtx/txn/internal/workspace"
	"github.com/jtx-project/jtx/wal"
)

// SetAside gives a file whose journal is damaged a new one: the damaged journal is
// moved below the file's `damaged` directory, whole, and is never removed; the new
// one goes on with the next revision, which is what the file holds. It returns where the damaged one is. It
// fails with ErrInvalid where the journal is not damaged, and with ErrDamaged where
// the file holds no document, which must be mended first.
func (s *Store) SetAside(ctx context.Context, file string) (kept string, err error) {
	t, err := s.src.Resolve(ctx, s.src.Abs(file))
	if err != nil {
		return "", err
	}
	if t.WS == nil {
		return "", versions.NoHistory(t)
	}
	if _, err := s.src.FS.Lstat(t.Dir); errors.Is(err, fs.ErrNotExist) {
		return "", versions.NoHistory(t)
	}
	err = s.locked(ctx, []string{t.Name}, locking{shut: true}, func(ses *session) error {
		kept, err = ses.setAside(ses.Targets[0])
		return err
	})
	return kept, err
}

// setAside moves the journal of a file that is locked, and begins another.
func (ses *session) setAside(t *workspace.Target) (kept string, err error) {
	s := ses.s
	if err := s.mustBeDamaged(ses.Ctx, t); err != nil {
		return "", fault.In(t.Name, err)
	}
	found, err := recovery.Read(s.src.FS, t.Real, wal.State{}, s.src.Limits)
	if err != nil {
		return "", fault.In(t.Name, err)
	}
	if found.Err != nil {
		return "", &Error{Kind: ErrDamaged, File: t.Name, Err: fmt.Errorf("neither the journal nor the file is whole: mend the file first: %w", found.Err)}
	}
	a, err := s.src.AccessFor(t)
	if err == nil {
		kept, err = wal.SetAside(t.Dir, s.src.JournalOptions(t, a))
	}
	if err == nil {
		err = recovery.Tell(s.src.FS, t.Dir, recovery.Notice{What: recovery.NoticeJournal, Kept: kept})
	}
	if err == nil {
		err = ses.beginAnew(t)
	}
	return kept, fault.In(t.Name, err)
}

// mustBeDamaged refuses to set a journal aside that still tells the history.
func (s *Store) mustBeDamaged(ctx context.Context, t *workspace.Target) error {
	if t.Lost != nil {
		return nil
	}
	report, err := wal.Inspect(s.src.FS, t.Dir)
	if err == nil && len(report.Damage) == 0 {
		err = s.replayAll(ctx, t)
	} else if err == nil {
		return nil
	}
	switch {
	case err == nil:
		return &Error{Kind: ErrInvalid, File: t.Name, Err: fmt.Errorf("its journal is not damaged: nothing is set aside")}
	case errors.Is(fault.In(t.Name, err), ErrDamaged):
		return nil
	}
	return err
}

// beginAnew records what the file holds as the first version of a new journal. Where that
// is cut off, whoever next uses the file does it.
func (ses *session) beginAnew(t *workspace.Target) error {
	if err := ses.open(t); err != nil || !t.File.Found.Version.Exists {
		return err
	}
	rec, err := t.File.Adoption(nil)
	if err != nil {
		return err
	}
	return t.File.AppendAdoption(rec)
}
