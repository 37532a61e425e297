package txn

import "github.com/jtx-project/jtx/wal"

// TestRooms is what tests within this package do through the rooms above it, which they
// can't import: rooms_test.go sets it.
var TestRooms struct {
	Recover func(s *Store, file string) error
	Verify  func(s *Store) error // no file may be unfinished
	Compact func(s *Store, file string) error
	Log     func(s *Store, file string) ([]Logged, error)
	Undo    func(s *Store, id wal.ID) error
	Version func(s *Store, file string, rev uint64) (string, error)
}

// Logged is a transaction in a history.
type Logged struct {
	ID    wal.ID
	Actor string
}
