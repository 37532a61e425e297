package session

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/jtx-project/jtx/txn"
)

// TestInputs: whatever the input is, it is read to its end, and others who have the same
// pipe open find it as it was.
func TestInputs(t *testing.T) {
	const requests = `{"id":1,"do":"ping"}` + "\n" + `{"id":2,"do":"ping"}` + "\n"
	kinds := map[string]func(*testing.T) (in, w *os.File){
		"pipe": func(t *testing.T) (in, w *os.File) {
			var fds [2]int
			require.NoError(t, syscall.Pipe(fds[:])) // blocking, as a program gets them
			return os.NewFile(uintptr(fds[0]), "in"), os.NewFile(uintptr(fds[1]), "w")
		},
		"socket": func(t *testing.T) (in, w *os.File) {
			fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
			require.NoError(t, err)
			return os.NewFile(uintptr(fds[0]), "in"), os.NewFile(uintptr(fds[1]), "w")
		},
		"file": func(t *testing.T) (in, w *os.File) {
			name := filepath.Join(t.TempDir(), "requests")
			w, err := os.Create(name)
			require.NoError(t, err)
			in, err = os.Open(name)
			require.NoError(t, err)
			return in, w
		},
	}
	for kind, open := range kinds {
		t.Run(kind, func(t *testing.T) {
			in, w := open(t)
			defer in.Close()
			_, err := io.WriteString(w, requests)
			require.NoError(t, err)
			require.NoError(t, w.Close())
			s, err := txn.Open(t.TempDir(), txn.Options{})
			require.NoError(t, err)
			defer s.Close()
			var out bytes.Buffer
			require.NoError(t, Serve(t.Context(), Config{Store: s}, in, &out))
			require.Equal(t, 2, strings.Count(out.String(), `"result":{}`))
			conn, err := in.SyscallConn()
			require.NoError(t, err)
			require.NoError(t, conn.Control(func(fd uintptr) {
				flags, _, errno := syscall.Syscall(syscall.SYS_FCNTL, fd, syscall.F_GETFL, 0)
				require.Zero(t, errno)
				require.Zero(t, flags&syscall.O_NONBLOCK)
			}))
		})
	}
}

// TestOneSocketForBoth: where one socket is read from and written to, a client that is slow
// to read gets all answers.
func TestOneSocketForBoth(t *testing.T) {
	fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	require.NoError(t, err)
	client, in := os.NewFile(uintptr(fds[0]), "client"), os.NewFile(uintptr(fds[1]), "in")
	defer client.Close()
	second, err := syscall.Dup(fds[1])
	require.NoError(t, err)
	out := os.NewFile(uintptr(second), "out")
	large := filepath.Join(t.TempDir(), "large.json") // more than a socket holds
	require.NoError(t, os.WriteFile(large, []byte(`"`+strings.Repeat("x", 4<<20)+`"`), 0o600))
	s, err := txn.Open(t.TempDir(), txn.Options{})
	require.NoError(t, err)
	defer s.Close()
	served := make(chan error, 1)
	go func() {
		err := Serve(t.Context(), Config{Store: s}, in, out)
		served <- errors.Join(err, in.Close(), out.Close())
	}()
	_, err = fmt.Fprintf(client, `{"id":1,"do":"read","files":[%q]}`+"\n", large)
	require.NoError(t, err)
	require.NoError(t, syscall.Shutdown(fds[0], syscall.SHUT_WR))
	answers, err := io.ReadAll(client)
	require.NoError(t, err)
	require.Contains(t, string(answers[max(0, len(answers)-100):]), `xx"}]}}`)
	require.NoError(t, <-served)
}
