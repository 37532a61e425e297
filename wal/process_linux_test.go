package wal

import (
	"errors"
	"fmt"
	"os/signal"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// Hazard 5: a failed write stays in tidwall/wal's memory; later ones "succeed" and
// the journal can't be opened. A limit on the file's size makes its write fail half
// way; the limit is the process's, so it is another one.
func TestHazard05FailedWrite(t *testing.T) {
	dir := fileDir(t)
	build(t, dir, 2)
	output := runChild(t, "full-disk", dir)
	require.Contains(t, output, "failed and went on")
	requireWhole(t, dir, 4)
}

func init() { children["full-disk"] = childFullDisk }

func childFullDisk(dir string) error {
	signal.Ignore(syscall.SIGXFSZ)
	l, err := Open(dir, bigSegments())
	if err != nil {
		return err
	}
	if err := limitFileSize(uint64(l.State().Offset) + 50); err != nil {
		return err
	}
	if err := l.Append(patch(3)); !errors.Is(err, syscall.EFBIG) {
		return fmt.Errorf("append under the limit: %w", err)
	}
	if err := l.Append(patch(3)); !errors.Is(err, ErrFailed) {
		return fmt.Errorf("the error did not stick: %w", err)
	}
	if err := errors.Join(l.Reopen(), limitFileSize(1<<30)); err != nil {
		return err
	}
	if l.State().Last != 2 || l.Cut().Bytes != 50 {
		return fmt.Errorf("after reopening: %+v", l.State())
	}
	fmt.Println("failed and went on")
	return tryCommit(l, patch(3), patch(4))
}
