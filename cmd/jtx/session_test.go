package main

import (
	"bufio"
	"io"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestKilledSessionHoldsNothing: what a session holds ends with its process. Nothing is
// changed, and nobody waits.
func TestKilledSessionHoldsNothing(t *testing.T) {
	dir := t.TempDir()
	held := jtx(t, dir, "session")
	in, err := held.StdinPipe()
	require.NoError(t, err)
	out, err := held.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, held.Start())
	answers := bufio.NewReader(out)
	_, err = answers.ReadString('\n') // what it is
	require.NoError(t, err)
	for _, request := range []string{
		`{"id":1,"do":"begin","files":["a.json"]}`,
		`{"id":2,"do":"change","tx":"t1","changes":[{"file":"a.json","put":{"n":5}}]}`,
	} {
		_, err = io.WriteString(in, request+"\n")
		require.NoError(t, err)
		line, err := answers.ReadString('\n')
		require.NoError(t, err)
		require.NotContains(t, line, `"error"`)
	}
	require.Equal(t, 4, codeOf(t, jtx(t, dir, "set", "--lock-timeout", "0", "a.json", "/n", "6").Run()))
	require.NoError(t, held.Process.Kill())
	require.Error(t, held.Wait())
	require.NoError(t, jtx(t, dir, "set", "-q", "--lock-timeout", "0", "a.json", "/n", "6").Run())
	data, err := os.ReadFile(dir + "/a.json")
	require.NoError(t, err)
	require.JSONEq(t, `{"n":6}`, string(data))
}
