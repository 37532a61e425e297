package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/jtx-project/jtx/cmd/internal/cli"
	"github.com/jtx-project/jtx/txn"
	"github.com/jtx-project/jtx/txn/admin"
)

// printWhere is what jtx alone shows: where one is, and how to go on.
func (a *app) printWhere(root *cobra.Command) error {
	s, err := a.Store(txn.Options{})
	if err != nil {
		return err
	}
	st, err := admin.Status(a.Ctx, s, nil, admin.StatusOptions{Attention: true})
	if err != nil {
		return err
	}
	if a.JSON {
		return a.WriteJSON(newStatusJSON(st))
	}
	var b strings.Builder
	if len(st.Workspaces) == 0 {
		b.WriteString("No JSON file is tracked here yet: the first change makes its history.\n")
	}
	for _, w := range st.Workspaces {
		fmt.Fprintf(&b, "workspace %s\n", cli.QuoteWord(cli.Shown(w.Root)))
	}
	if n := len(st.Files) + st.Clean; n > 0 {
		fmt.Fprintf(&b, "%s tracked%s\n", cli.Plural(n, "file"), conditions(st.Files))
	}
	if len(st.Open) > 0 {
		fmt.Fprintf(&b, "%s%s\n", cli.Plural(len(st.Open), "open transaction"), damagedAmong(st.Open))
	}
	b.WriteString("\n")
	for _, cmd := range root.Commands() {
		if cmd.GroupID == groupMost {
			b.WriteString(cli.VerbLine("  jtx ", cmd, cli.TextWidth(a.Stdout)))
		}
	}
	b.WriteString("\n" + cli.Fill("jtx status shows the files, jtx help all verbs.", cli.TextWidth(a.Stdout)))
	return a.Write([]byte(b.String()))
}

// conditions counts the files that are not clean, by what they are.
func conditions(files []admin.FileStatus) string {
	count := map[string]int{}
	for _, f := range files {
		if what := conditionOf(f); what != "clean" {
			count[what]++
		}
	}
	var parts []string
	for _, what := range sortedKeys(count) {
		parts = append(parts, fmt.Sprintf("%d %s", count[what], what))
	}
	if len(parts) == 0 {
		return ", all as jtx left them"
	}
	return ": " + strings.Join(parts, ", ")
}

func damagedAmong(open []txn.OpenTxInfo) string {
	n := 0
	for _, t := range open {
		if t.Err != nil {
			n++
		}
	}
	if n == 0 {
		return ""
	}
	return fmt.Sprintf(": %d damaged", n)
}
