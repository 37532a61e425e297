package bench

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/jtx-project/jtx/wal/fsys/measure"
)

// document is the file in which the number is, for all but sqlite3.
const document = "doc.json"

// Contender is a program that keeps a number "n" in a document, and is started for
// each operation.
type Contender struct {
	Name string // without a space, for benchmarks
	// Needs are the programs that must be installed.
	Needs []string
	// Arg0 is by what name the program is called, where that is not its path.
	Arg0 string
	// Idle tells that it does nothing but start.
	Idle bool
	// Syncs are the fsyncs of one change, nil where they can't be known.
	Syncs *float64
	// Prepare makes a document of a size, in bytes.
	Prepare func(ctx context.Context, dir string, size int) error
	// Set makes the number n, Add adds 1 to it and loses nothing where several do so at
	// once, Get prints it. Nil where it can't.
	Set func(n int) []string
	Add []string
	Get []string
}

// Installed tells whether all is there that it needs.
func (c Contender) Installed() bool {
	for _, name := range c.Needs {
		if _, err := exec.LookPath(name); err != nil {
			return false
		}
	}
	return true
}

func writeDocument(_ context.Context, dir string, size int) error {
	return os.WriteFile(filepath.Join(dir, document), measure.Document(size, 0), 0o600)
}

// Starting is the contender that does nothing: what the others take beyond it is
// their work.
func Starting(program ...string) Contender {
	return Contender{
		Name: "start", Idle: true, Prepare: func(context.Context, string, int) error { return nil },
		Set: func(int) []string { return program }, Add: program, Get: program,
	}
}

// JTX is jtx by its program.
func JTX(program, arg0 string) Contender {
	c := Contender{
		Name: "jtx", Arg0: arg0,
		Set: func(n int) []string { return []string{program, "set", document, "/n", strconv.Itoa(n)} },
		Add: []string{program, "update", document, ".n += 1"},
		Get: []string{program, "get", document, "/n"},
	}
	c.Prepare = func(ctx context.Context, dir string, size int) error {
		if err := writeDocument(ctx, dir, size); err != nil {
			return err
		}
		return track(ctx, dir, c)
	}
	return c
}

// Others are what scripts use today. Those that sync do so for the file before it is
// renamed, and for the directory behind that.
func Others() []Contender {
	return []Contender{
		{Name: "jq", Needs: []string{"jq"}, Prepare: writeDocument, Get: []string{"jq", ".n", document}},
		{
			Name: "jq+mv", Needs: []string{"jq", "sh"}, Syncs: new(0.0), Prepare: writeDocument,
			Set: func(n int) []string { return jq("", n, "mv tmp doc.json") },
		},
		{
			Name: "jq+sync+mv", Needs: []string{"jq", "sh", "sync"}, Syncs: new(2.0), Prepare: writeDocument,
			Set: func(n int) []string { return jq("", n, "sync tmp && mv tmp doc.json && sync .") },
		},
		{
			Name: "flock+jq+sync+mv", Needs: []string{"flock", "jq", "sh", "sync"}, Syncs: new(2.0), Prepare: writeDocument,
			Set: func(n int) []string { return jq("exec 9>lock; flock 9; ", n, "sync tmp && mv tmp doc.json && sync .") },
			Add: []string{"sh", "-c", "exec 9>lock; flock 9; jq '.n += 1' doc.json >tmp && sync tmp && mv tmp doc.json && sync ."},
		},
		{
			Name: "sqlite3", Needs: []string{"sqlite3"}, Prepare: sqlitePrepare,
			Set: func(n int) []string { return sqlite(fmt.Sprintf("UPDATE docs SET doc = json_set(doc, '$.n', %d)", n)) },
			Add: sqlite("UPDATE docs SET doc = json_set(doc, '$.n', json_extract(doc, '$.n') + 1)"),
			Get: sqlite("SELECT json_extract(doc, '$.n') FROM docs"),
		},
	}
}

func jq(first string, n int, last string) []string {
	return []string{"sh", "-c", fmt.Sprintf("%sjq '.n = %d' doc.json >tmp && %s", first, n, last)}
}

// sqlite is one statement at the durability that jtx has by default. WAL is a
// property of the database, made when that is.
func sqlite(statement string) []string {
	return []string{"sqlite3", "-batch", "-cmd", ".timeout 60000", "doc.db", "PRAGMA synchronous = FULL; " + statement + ";"}
}

// track changes the document there and back, so that jtx knows its bytes when it reads
// them.
func track(ctx context.Context, dir string, c Contender) error {
	for _, n := range []int{1, 0} {
		if _, err := c.command(ctx, dir, c.Set(n)); err != nil {
			return err
		}
	}
	return nil
}

func sqlitePrepare(ctx context.Context, dir string, size int) error {
	cmd := exec.CommandContext(ctx, "sqlite3", "-batch", "doc.db")
	cmd.Dir = dir
	cmd.Stdin = strings.NewReader(fmt.Sprintf("PRAGMA journal_mode = WAL; CREATE TABLE docs (id INTEGER PRIMARY KEY, doc TEXT); INSERT INTO docs (doc) VALUES ('%s');",
		measure.Document(size, 0))) // which has no quotes of SQL's
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("sqlite3: %w: %s", err, strings.TrimSpace(string(out)))
	}
	return nil
}
