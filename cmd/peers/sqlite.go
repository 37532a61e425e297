package main

import (
	"database/sql"
	"errors"
	"path/filepath"

	_ "github.com/mattn/go-sqlite3"

	"github.com/jtx-project/jtx/txn/speed"
	"github.com/jtx-project/jtx/wal/fsys"
)

// sqlite keeps documents as JSONB, in WAL mode at synchronous=FULL: as durable as
// jtx. One connection does all: several would only wait for each other's lock.
type sqlite struct {
	db       *sql.DB
	add, get *sql.Stmt
}

func openSQLite(dir string, _ fsys.FS, doc []byte, copies int) (speed.Documents, error) {
	return newSQLite(dir, doc, copies)
}

func newSQLite(dir string, doc []byte, copies int) (*sqlite, error) {
	db, err := sql.Open("sqlite3", "file:"+filepath.Join(dir, "doc.db")+"?_journal_mode=WAL&_synchronous=FULL&_txlock=immediate")
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	s := &sqlite{db: db}
	if _, err := db.Exec("CREATE TABLE docs (id INTEGER PRIMARY KEY, doc BLOB)"); err != nil {
		return nil, err
	}
	for i := range copies {
		if _, err := db.Exec("INSERT INTO docs VALUES (?, jsonb(?))", i, string(doc)); err != nil {
			return nil, err
		}
	}
	if s.add, err = db.Prepare("UPDATE docs SET doc = jsonb_set(doc, '$.n', json_extract(doc, '$.n') + 1) WHERE id = ?"); err != nil {
		return nil, err
	}
	s.get, err = db.Prepare("SELECT json_extract(doc, '$.n') FROM docs WHERE id = ?")
	return s, err
}

func (s *sqlite) Add(docs ...int) error { return s.addAll(docs) }

// addAll is one transaction over one or several.
func (s *sqlite) addAll(docs []int) error {
	if len(docs) == 1 {
		_, err := s.add.Exec(docs[0])
		return err
	}
	tx, err := s.db.Begin()
	if err != nil {
		return err
	}
	add := tx.Stmt(s.add)
	for _, doc := range docs {
		if _, err := add.Exec(doc); err != nil {
			return errors.Join(err, tx.Rollback())
		}
	}
	return tx.Commit()
}

func (s *sqlite) Get(doc int) (n int, err error) {
	err = s.get.QueryRow(doc).Scan(&n)
	return n, err
}

func (s *sqlite) Flush() error { return nil }
func (s *sqlite) Close() error { return errors.Join(s.add.Close(), s.get.Close(), s.db.Close()) }

// batched is SQLite as one writes it by hand for many goroutines: what is asked for
// while a transaction is committed goes into the next one, all of it or nothing.
type batched struct {
	*sqlite
	asked chan request
	ended chan struct{}
}

type request struct {
	docs []int
	done chan error
}

func openSQLiteBatched(dir string, _ fsys.FS, doc []byte, copies int) (speed.Documents, error) {
	s, err := newSQLite(dir, doc, copies)
	if err != nil {
		return nil, err
	}
	b := &batched{s, make(chan request, 64), make(chan struct{})}
	go b.serve()
	return b, nil
}

func (b *batched) Add(docs ...int) error {
	done := make(chan error, 1)
	b.asked <- request{docs, done}
	return <-done
}

func (b *batched) serve() {
	defer close(b.ended)
	for first := range b.asked {
		batch := []request{first}
		for more := true; more && len(batch) < cap(b.asked); {
			select {
			case r, open := <-b.asked:
				if more = open; open {
					batch = append(batch, r)
				}
			default:
				more = false
			}
		}
		var docs []int
		for _, r := range batch {
			docs = append(docs, r.docs...)
		}
		err := b.addAll(docs)
		for _, r := range batch {
			r.done <- err
		}
	}
}

func (b *batched) Close() error {
	close(b.asked)
	<-b.ended
	return b.sqlite.Close()
}
