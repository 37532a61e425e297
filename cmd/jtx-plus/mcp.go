package main

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/jtx-project/jtx/cmd/internal/agent"
	"github.com/jtx-project/jtx/cmd/internal/cli"
	"github.com/jtx-project/jtx/txn"
)

func newMCP(a *cli.App, cmd *cobra.Command) {
	m := &mcpCommand{a: a}
	cmd.Long = `Serves JSON files to an agent, over the Model Context Protocol on standard input and
output: to read, change, search, compare and undo, each change a transaction that is
recorded with the agent's name. Nothing outside of the ROOTs is used, the current
directory if there is none, also not through links.

With --memory the tools are those of the memory server of the protocol's collection,
with the same names, arguments and answers, over FILE. Where FILE is that server's,
one object on each line, it is imported once, into FILE.jtx.json, and stays as it is;
--memory-export prints the memory as such lines.

In an agent's configuration:

  {"mcpServers": {"memory": {
    "command": "jtx", "args": ["mcp", "--memory", "/home/me/memory.jsonl"]}}}`
	cmd.Example = cli.Example(`jtx mcp --memory memory.json --memory-export`, `jtx mcp --read-only . </dev/null`)
	f := cmd.Flags()
	f.StringVar(&m.memory, "memory", "", "a memory in `FILE`, instead of files")
	f.BoolVar(&m.export, "memory-export", false, "print the memory, one object on each line, and end")
	f.BoolVar(&m.readOnly, "read-only", false, "no tool that changes anything")
	f.IntVar(&m.maxOutput, "max-output", agent.DefaultMaxOutput, "how long the value in an answer may be, in `BYTES`")
	f.DurationVar(&m.lockTimeout, "lock-timeout", txn.DefaultLockTimeout, "how long to wait for locks")
	cmd.RunE = a.Verb(m.run)
}

type mcpCommand struct {
	a                *cli.App
	memory           string
	export, readOnly bool
	maxOutput        int
	lockTimeout      time.Duration
}

func (m *mcpCommand) run(_ *cobra.Command, roots []string) error {
	switch {
	case m.maxOutput < 1024:
		return cli.Usagef("--max-output %d: want at least 1024", m.maxOutput)
	case m.lockTimeout <= 0:
		return cli.Usagef("--lock-timeout %s: want more than no time", m.lockTimeout)
	case m.export && m.memory == "":
		return cli.Usagef("--memory-export: of which memory? --memory FILE names it")
	case m.memory != "" && len(roots) > 0:
		return cli.Usagef("--memory has its own file, and no roots")
	}
	m.a.Signals.Wait()
	if m.memory != "" {
		s, err := m.open(".")
		if err != nil {
			return err
		}
		return errors.Join(m.serveMemory(m.a.Ctx, s), s.Close())
	}
	if len(roots) == 0 {
		roots = []string{"."}
	}
	return agent.ServeFiles(m.a.Ctx, agent.Config{Open: m.open, Version: cli.Version(), Roots: roots, ReadOnly: m.readOnly, MaxOutput: m.maxOutput}, os.Stdin, os.Stdout)
}

func (m *mcpCommand) open(dir string) (*txn.Store, error) {
	return m.a.StoreIn(dir, txn.Options{LockTimeout: m.lockTimeout})
}

func (m *mcpCommand) serveMemory(ctx context.Context, s *txn.Store) error {
	mem := &agent.Memory{Store: s, Version: cli.Version(), File: m.memory, ReadOnly: m.readOnly}
	if err := m.locate(ctx, mem); err != nil {
		return err
	}
	if !m.export {
		return mem.Serve(ctx, os.Stdin, os.Stdout)
	}
	lines, err := mem.Lines(ctx)
	if err != nil {
		return err
	}
	return m.a.Write(append(lines, '\n'))
}

// locate finds the memory's document: FILE itself, or what becomes of FILE where another
// server keeps lines in it.
func (m *mcpCommand) locate(ctx context.Context, mem *agent.Memory) error {
	text, err := m.a.ReadFile(m.memory)
	missing := errors.Is(err, fs.ErrNotExist)
	if err != nil && !missing {
		return err
	}
	if missing && !strings.EqualFold(filepath.Ext(m.memory), ".jsonl") || !missing && !agent.IsLines(text) {
		return nil
	}
	mem.File = m.memory + ".jtx.json"
	switch _, err := os.Stat(mem.File); {
	case missing, err == nil:
		return nil // nothing to import, or done already
	case m.readOnly, m.export:
		return cli.Usagef("%s is not imported yet, and holds all there is: jtx mcp --memory imports it, without --read-only and --memory-export", cli.QuoteWord(m.memory))
	}
	n, err := mem.Import(ctx, m.memory, text)
	if err == nil && n >= 0 {
		m.a.Note("note: %d lines of %s are imported; the memory is %s from now on, and %s stays as it is",
			n, cli.QuoteWord(m.memory), cli.QuoteWord(mem.File), cli.QuoteWord(m.memory))
	}
	return err
}
