package txn_test

import (
	"context"
	"errors"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/jtx-project/jtx/txn"
)

func TestAMissingFileIsWhatPackageOsCallsOne(t *testing.T) {
	s, _ := openStore(t)
	read := func(tx *txn.Tx) error {
		_, err := tx.Bytes("gone.json")
		return err
	}
	err := s.View(context.Background(), []string{"gone.json"}, read)
	require.ErrorIs(t, err, os.ErrNotExist)
	require.ErrorIs(t, err, txn.ErrNotFound)
	_, err = s.Do(context.Background(), []string{"gone.json"}, read)
	require.ErrorIs(t, err, os.ErrNotExist)
}

func TestErrorsNameFilesAsTheCallerDid(t *testing.T) {
	s, _ := openStore(t)
	_, err := s.Do(context.Background(), []string{"./a.json"}, func(*txn.Tx) error { return nil }, s.IfRevision("a.json", 7))
	var e *txn.Error
	require.True(t, errors.As(err, &e))
	require.Equal(t, "./a.json", e.File)
}
