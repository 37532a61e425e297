package session

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/jtx-project/jtx/txn"
)

var update = flag.Bool("update", false, "write what is answered into the golden files")

// client is a session and its two ends.
type client struct {
	t   *testing.T
	in  *io.PipeWriter
	out *bufio.Reader
	end chan error
}

func start(t *testing.T, ctx context.Context) *client {
	t.Helper()
	t.Chdir(t.TempDir())
	s, err := txn.Open(".", txn.Options{Actor: "tester"})
	require.NoError(t, err)
	inRead, in := io.Pipe()
	out, outWrite := io.Pipe()
	c := &client{t, in, bufio.NewReader(out), make(chan error, 1)}
	go func() {
		err := Serve(ctx, Config{Store: s, Version: "test", MaxLine: 4096}, inRead, outWrite)
		c.end <- errors.Join(err, s.Close(), outWrite.Close())
	}()
	return c
}

func (c *client) send(line string) {
	c.t.Helper()
	_, err := io.WriteString(c.in, line+"\n")
	require.NoError(c.t, err)
}

func (c *client) line() string {
	c.t.Helper()
	line, err := c.out.ReadString('\n')
	require.NoError(c.t, err)
	return strings.TrimSuffix(line, "\n")
}

// close ends the input, and takes in what is still answered.
func (c *client) close() (rest string) {
	c.t.Helper()
	require.NoError(c.t, c.in.Close())
	data, err := io.ReadAll(c.out)
	require.NoError(c.t, err)
	require.NoError(c.t, <-c.end)
	return string(data)
}

// TestTranscripts: the protocol's golden files.
func TestTranscripts(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("testdata", "*.txt"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, name := range files {
		path, err := filepath.Abs(name)
		require.NoError(t, err)
		t.Run(filepath.Base(name), func(t *testing.T) { transcript(t, path) })
	}
}

func transcript(t *testing.T, path string) {
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	c := start(t, t.Context())
	var have []string
	seen := map[string]string{}
	for _, line := range strings.Split(strings.TrimSuffix(string(text), "\n"), "\n") {
		switch kind, rest, _ := strings.Cut(line, " "); kind {
		case ">":
			c.send(rest)
			have = append(have, line)
		case "<":
			have = append(have, "< "+masked(c.line(), seen))
		default:
			have = append(have, line)
		}
	}
	require.Empty(t, c.close())
	got := strings.Join(have, "\n") + "\n"
	if *update {
		require.NoError(t, os.WriteFile(path, []byte(got), 0o644))
	}
	require.Equal(t, string(text), got)
}

var (
	txForm   = regexp.MustCompile(`"[0-9A-HJKMNP-TV-Z]{26}"`)
	timeForm = regexp.MustCompile(`"20\d\d-[0-9T:.-]+Z"`)
)

// masked replaces what differs from run to run.
func masked(line string, seen map[string]string) string {
	line = timeForm.ReplaceAllString(line, `"TIME"`)
	return txForm.ReplaceAllStringFunc(line, func(id string) string {
		if seen[id] == "" {
			seen[id] = fmt.Sprintf(`"TX%d"`, len(seen)+1)
		}
		return seen[id]
	})
}

// TestOrder: requests that name a file are answered in their order, however many come
// at once, and others don't wait for them.
func TestOrder(t *testing.T) {
	c := start(t, t.Context())
	c.line()
	c.send(`{"id":"b","do":"begin","files":["held.json"]}`)
	require.Contains(t, c.line(), `"tx":"t1"`)
	c.send(`{"id":"waits","do":"change","changes":[{"file":"held.json","put":1}]}`)
	for i := range 50 {
		c.send(fmt.Sprintf(`{"id":"w%d","do":"change","changes":[{"file":"./a.json","set":{"/n":%d}}]}`, i, i))
		c.send(fmt.Sprintf(`{"id":"r%d","do":"read","files":["a.json"],"pointer":"/n"}`, i))
	}
	for i := range 50 {
		require.Contains(t, c.line(), fmt.Sprintf(`{"id":"w%d","result":`, i))
		require.Contains(t, c.line(), fmt.Sprintf(`{"id":"r%d","result":{"files":[{"file":"a.json","rev":%d,"exists":true,"value":%d}`, i, i+1, i))
	}
	c.send(`{"id":"a","do":"abort","tx":"t1"}`)
	answers := c.line() + c.line()
	require.Contains(t, answers, `{"id":"a","result":{}}`)
	require.Contains(t, answers, `{"id":"waits","result":`)
	require.Empty(t, c.close())
}

// TestWatchAndCancel: a stream goes on beside other requests, until it is cancelled or
// the input ends.
func TestWatchAndCancel(t *testing.T) {
	c := start(t, t.Context())
	c.line()
	c.send(`{"id":"w","do":"watch","files":["a.json"],"after":{"a.json":0}}`)
	for i := 1; i <= 3; i++ {
		c.send(fmt.Sprintf(`{"id":%d,"do":"change","changes":[{"file":"a.json","set":{"/n":%d}}]}`, i, i))
		lines := c.line() + "\n" + c.line()
		require.Contains(t, lines, fmt.Sprintf(`{"id":%d,"result":`, i))
		require.Contains(t, lines, `{"id":"w","event":{"tx":`)
		require.Contains(t, lines, fmt.Sprintf(`"rev":%d`, i))
	}
	c.send(`{"id":"x","do":"cancel","cancel":"w"}`)
	lines := c.line() + "\n" + c.line()
	require.Contains(t, lines, `{"id":"w","result":{}}`)
	require.Contains(t, lines, `{"id":"x","result":{"cancelled":true}}`)
	c.send(`{"id":"w","do":"watch"}`)
	require.Equal(t, `{"id":"w","result":{}}`+"\n", c.close())
}

// TestLongLine: it is passed over, and the next request is answered.
func TestLongLine(t *testing.T) {
	c := start(t, t.Context())
	c.line()
	c.send(`{"id":1,"do":"change","changes":[{"file":"a.json","put":"` + strings.Repeat("x", 200_000) + `"}]}`)
	require.Contains(t, c.line(), `{"id":null,"error":{"code":"invalid","exit":5,"message":"a request of more than 4096 bytes"`)
	c.send(`{"id":2,"do":"read","files":["a.json"]}`)
	require.Contains(t, c.line(), `"exists":false`)
	require.Empty(t, c.close())
}

// TestInputEnds: what was asked for is answered, an open transaction is forgotten, and
// what waits for its locks gets them.
func TestInputEnds(t *testing.T) {
	c := start(t, t.Context())
	c.line()
	c.send(`{"id":1,"do":"begin","files":["a.json"]}`)
	c.line()
	c.send(`{"id":2,"do":"change","tx":"t1","changes":[{"file":"a.json","put":1}]}`)
	c.line()
	c.send(`{"id":3,"do":"change","changes":[{"file":"a.json","put":2}]}`)
	require.Contains(t, c.close(), `{"id":3,"result":{"tx":`)
	data, err := os.ReadFile("a.json")
	require.NoError(t, err)
	require.Equal(t, "2\n", string(data))
}

// TestHeldTooLong: a transaction ends by itself.
func TestHeldTooLong(t *testing.T) {
	c := start(t, t.Context())
	c.line()
	c.send(`{"id":1,"do":"begin","files":["a.json"],"ttl_ms":1}`)
	c.line()
	c.send(`{"id":2,"do":"change","changes":[{"file":"a.json","put":2}]}`)
	require.Contains(t, c.line(), `{"id":2,"result":{"tx":`)
	c.send(`{"id":3,"do":"commit","tx":"t1"}`)
	require.Contains(t, c.line(), `"no transaction t1 is open`)
	require.Empty(t, c.close())
}

// TestEditBesideTheLocks: another program saves the file while a transaction holds it.
// What the client has seen isn't so any more: a conflict, and the edit stays.
func TestEditBesideTheLocks(t *testing.T) {
	c := start(t, t.Context())
	c.line()
	c.send(`{"id":1,"do":"change","changes":[{"file":"a.json","put":{"n":1}}]}`)
	c.line()
	c.send(`{"id":2,"do":"begin","files":["a.json"]}`)
	c.line()
	c.send(`{"id":3,"do":"change","tx":"t1","changes":[{"file":"a.json","set":{"/n":2}}]}`)
	c.line()
	require.NoError(t, os.WriteFile("a.json", []byte(`{"n": 77}`), 0o644))
	c.send(`{"id":4,"do":"commit","tx":"t1"}`)
	var answer struct {
		Error struct {
			Code      string
			Retryable bool
		}
	}
	require.NoError(t, json.Unmarshal([]byte(c.line()), &answer))
	require.Equal(t, "conflict", answer.Error.Code)
	require.True(t, answer.Error.Retryable)
	c.send(`{"id":5,"do":"read","files":["a.json"],"pointer":"/n"}`)
	require.Contains(t, c.line(), `"value":77`)
	require.Empty(t, c.close())
}

// TestBackPressure: beyond what may be unanswered nothing is read, until there is room.
func TestBackPressure(t *testing.T) {
	var g gate
	g.init()
	for range maxUnanswered {
		require.True(t, g.enter(t.Context(), 1))
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	require.False(t, g.enter(ctx, 1))
	g.leave(1)
	require.True(t, g.enter(t.Context(), 1))

	var bytes gate
	bytes.init()
	require.True(t, bytes.enter(t.Context(), maxUnansweredBytes+1), "one is always let in")
	require.False(t, bytes.enter(ctx, 1))
}

// TestNobodyReads: the session ends when its answers have no reader.
func TestNobodyReads(t *testing.T) {
	in, _ := io.Pipe()
	out, w := io.Pipe()
	require.NoError(t, out.Close())
	s, err := txn.Open(t.TempDir(), txn.Options{})
	require.NoError(t, err)
	require.ErrorIs(t, Serve(t.Context(), Config{Store: s}, in, w), io.ErrClosedPipe)
}

// TestChangesAtOnce: changes of a file that are sent without waiting are committed in their
// order, each with its own outcome, also where the store commits some together.
func TestChangesAtOnce(t *testing.T) {
	const many = 60
	c := start(t, t.Context())
	c.line()
	var lines strings.Builder
	for i := range many {
		change := fmt.Sprintf(`{"file":"a.json","patch":[{"op":"add","path":"/-","value":%d}]}`, i)
		switch {
		case i == 0:
			change = `{"file":"a.json","put":[0]}`
		case i%7 == 3:
			change = `{"file":"a.json","patch":[{"op":"test","path":"/0","value":"no"}]}`
		}
		fmt.Fprintf(&lines, `{"id":%d,"do":"change","changes":[%s],"request":"r-%d"}`+"\n", i, change, i)
	}
	go func() { _, _ = io.WriteString(c.in, lines.String()) }()
	var want []string
	for i := range many {
		answer := c.line()
		if i%7 == 3 {
			require.Contains(t, answer, fmt.Sprintf(`{"id":%d,"error":{"code":"conflict"`, i))
			continue
		}
		require.Contains(t, answer, fmt.Sprintf(`{"id":%d,"result":{"tx":"`, i))
		want = append(want, fmt.Sprint(i))
	}
	c.send(`{"id":"read","do":"read","files":["a.json"]}`)
	require.Contains(t, c.line(), `"value":[`+strings.Join(want, ",")+`]`)
	for i := range many {
		c.send(fmt.Sprintf(`{"id":"o","do":"outcome","request":"r-%d","files":["a.json"]}`, i))
		require.Contains(t, c.line(), fmt.Sprintf(`"committed":%v`, i%7 != 3))
	}
	require.Empty(t, c.close())
}

// TestOrderPastACancelledOne: a request whose time is over is answered before those that came
// first, and what comes behind it still sees what they do.
func TestOrderPastACancelledOne(t *testing.T) {
	c := start(t, t.Context())
	c.line()
	c.send(`{"id":1,"do":"change","changes":[{"file":"a.json","put":[1]}]}`)
	c.line()
	other, err := txn.Open(".", txn.Options{})
	require.NoError(t, err)
	defer other.Close()
	locked, release, done := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	go func() {
		_, err := other.Do(context.Background(), []string{"a.json"}, func(*txn.Tx) error {
			close(locked)
			<-release
			return nil
		})
		done <- err
	}()
	<-locked
	c.send(`{"id":2,"do":"change","changes":[{"file":"a.json","put":[2]}]}`)
	c.send(`{"id":3,"do":"change","changes":[{"file":"a.json","put":[3]}],"timeout_ms":1}`)
	require.Contains(t, c.line(), `{"id":3,"error"`)
	absolute, err := filepath.Abs("a.json") // another spelling is the same file
	require.NoError(t, err)
	c.send(fmt.Sprintf(`{"id":4,"do":"read","files":[%q]}`, absolute))
	c.send(`{"id":5,"do":"ping"}`)
	require.Contains(t, c.line(), `{"id":5,`)
	close(release)
	require.NoError(t, <-done)
	require.Contains(t, c.line(), `{"id":2,"result"`)
	answer := c.line()
	require.Contains(t, answer, `{"id":4,"result"`)
	require.Contains(t, answer, `"value":[2]`)
	require.Empty(t, c.close())
}
