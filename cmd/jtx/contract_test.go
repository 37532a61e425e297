package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/jsonschema-go/jsonschema"
	"github.com/stretchr/testify/require"

	"github.com/jtx-project/jtx/cmd/internal/cli"
	"github.com/jtx-project/jtx/cmd/internal/rewrite"
)

var update = flag.Bool("update", false, "write the schemas of --json, and the page about them, anew")

// A list of T below the name of what it is.
type (
	listOf[T any] struct {
		Files []T `json:"files"`
	}
	transactionsOf[T any] struct {
		Transactions []T `json:"transactions"`
	}
	trackedOf[T any] struct {
		Tracked []T `json:"tracked"`
	}
	protectOf[T any] struct {
		Protect []T `json:"protect"`
	}
	healedOf[T any] struct {
		Healed []T `json:"healed"`
	}
	removedOf[T any] struct {
		Removed []T `json:"removed"`
	}
	forgottenOf[T any] struct {
		Forgotten []T `json:"forgotten"`
	}
	errorOfRun struct {
		Error cli.Failure `json:"error"`
	}
	warningOfRun struct {
		Warning string `json:"warning"`
	}
)

// shape is what a verb prints with --json.
type shape struct {
	name, about string
	of          any
	verbs       string // that print it; more where the flags tell
	try         []string
}

// shapes are the contract. Each is tried in the order that they have here.
var shapes = []shape{
	{"change", "What a transaction did. `tx` is null where nothing was changed. With `--dry-run` `rev` is missing and `patch` there. `recovered` tells of what was found unfinished, or edited outside.", cli.ResultJSON{},
		"set del put patch merge update pipe edit fmt rm mv cp commit run do undo restore", []string{
			"jtx set a.json /n 1 --json", "jtx set a.json /n 2 --dry-run --json", "jtx put b.json '{\"n\": 1}' --json", "jtx patch a.json '[{\"op\": \"add\", \"path\": \"/x\", \"value\": 1}]' --json",
			"jtx merge a.json '{\"y\": 1}' --json", "jtx del a.json /y --json", "jtx update a.json '.n += 1' --json", "jtx pipe --json a.json -- sed s/2/3/", "jtx fmt a.json --json", "jtx edit a.json --json",
			"jtx cp a.json c.json --json", "jtx mv c.json d.json --json", "jtx rm d.json --json", "jtx do --json '{\"file\": \"a.json\", \"set\": {\"/k\": 1}}'",
			"jtx run --json -q a.json -- true; jtx run --json a.json -- jtx set -q a.json /r 1", "jtx undo --json a.json@2", "jtx restore --json a.json@1"}},
	{"value", "The value, and the revision that it is of, for a later `--if-rev`.", valueJSON{}, "get", []string{"jtx get a.json /n --json"}},
	{"snapshot", "One consistent state.", listOf[shot]{}, "snapshot", []string{"jtx snapshot a.json b.json --json"}},
	{"transaction", "An open transaction.", txJSON{}, "begin", []string{"jtx begin a.json --json"}},
	{"transactions", "The open transactions.", transactionsOf[txJSON]{}, "tx", []string{"jtx tx --json"}},
	{"staged", "What stands in an open transaction now.", stagedJSON{}, "apply, and each change with --tx", []string{"tx=$(jtx begin); jtx apply $tx a.json '[]' --json"}},
	{"aborted", "", abortedJSON{}, "abort", []string{"jtx abort $tx --json"}},
	{"locks", "Who holds, and who waits.", listOf[lockedJSON]{}, "locks", []string{"tx=$(jtx begin --lock a.json); jtx locks --json"}},
	{"broken", "", brokenJSON{}, "locks --break", []string{"jtx locks --break $tx --json", "jtx abort -q $tx"}},
	{"entry", "A transaction of the history, one on each line; `patch` with `-p`, and from show.", cli.EntryJSON{}, "log show watch", []string{"jtx log -n 2 -p --json", "jtx show a.json@2 --json", "jtx watch -n 1 --since 1h --json"}},
	{"diff", "From one version to another. `rev` 0: not recorded yet.", diffJSON{}, "diff", []string{"jtx diff a.json@1 a.json@2 --json || true"}},
	{"blame", "A value and who set it, one on each line.", blameJSON{}, "blame", []string{"jtx blame a.json --json"}},
	{"status", "Also what `jtx --json` prints.", statusJSON{}, "status", []string{"jtx status -a --json"}},
	{"verified", "`verdict` is ok, edited, deleted, untracked, unfinished, unreadable or damaged.", listOf[verifiedJSON]{}, "verify", []string{"jtx verify --json"}},
	{"recovered", "", recoverJSON{}, "recover", []string{"jtx recover --json"}},
	{"backup", "What is in the backup.", listOf[backedUpJSON]{}, "backup", []string{"jtx backup ../backup --json", "jtx backup --check ../backup --json; rm -r ../backup"}},
	{"compacted", "", listOf[compactedJSON]{}, "compact", []string{"jtx compact --json"}},
	{"redacted", "What was taken out, and where the value is, too.", redactedJSON{}, "redact", []string{"for tx in $(jtx tx | cut -f 1); do jtx abort -q $tx; done; jtx redact a.json /n --json"}},
	{"stats", "Times are microseconds; `per_hour` is null for less than ten minutes.", statistics{}, "stats", []string{"jtx stats --json | sed 's/\\(\"days\":.\\)[^]]*/\\1/'"}},
	{"protected", "What has a history now.", trackedOf[*cli.JSONFile]{}, "protect", []string{"jtx protect '*.json' --json"}},
	{"protections", "", protectOf[protectionJSON]{}, "protect --list", []string{"jtx protect --list --json"}},
	{"protection", "", protectionJSON{}, "protect --check", []string{"jtx protect --check a.json --json"}},
	{"healed", "", healedOf[healedJSON]{}, "protect --heal", []string{"rm b.json; jtx protect --heal --json"}},
	{"unprotected", "", removedOf[string]{}, "protect --remove", []string{"jtx protect --remove '*.json' --json"}},
	{"forgotten", "", forgottenOf[*cli.JSONFile]{}, "forget", []string{"jtx forget b.json --json"}},
	{"init", "", initJSON{}, "init", []string{"jtx init -p sub --json"}},
	{"uninit", "", uninitJSON{}, "init --remove", []string{"jtx init --remove sub --json"}},
	{"setting", "`value` is null where it is the default now.", settingJSON{}, "config NAME", []string{"jtx config log true --json", "jtx config log --json", "jtx config --unset log --json"}},
	{"settings", "All that are set, by name.", map[string]json.RawMessage{}, "config", []string{"jtx config --json"}},
	{"script", "A script for a shell.", cli.ScriptJSON{}, "completion shellenv", []string{"jtx completion bash --json", "jtx shellenv --json"}},
	{"files", "The pages that were written.", listOf[*cli.JSONFile]{}, "man", []string{"mkdir m; jtx man m --json | sed 's/},.*/}]}/'"}},
	{"version", "", cli.VersionJSON{}, "version", []string{"jtx version --json"}},
	{"help", "", cli.OverviewJSON{}, "help", []string{"jtx help --json | tr -d '\\n' | sed 's/,{\"verb\":\"set\".*\"topics\"/],\"topics\"/'"}},
	{"verb", "", cli.VerbJSON{}, "help VERB", []string{"jtx help abort --json"}},
	{"topic", "", cli.TopicJSON{}, "help TOPIC", []string{"jtx help versions --json"}},
	{"selftest", "`status` of a check is ok, limited or FAILED.", selftestJSON{}, "selftest", nil},
	{"bench", "Times are microseconds.", benchJSON{}, "bench", nil},
	{"rewritten", "A script, one on each line; `verdict` is rewritten, partly or left alone. `kept` is the script as it was.", rewrite.JSON{}, "rewrite", nil},
	{"error", "On standard error, with the exit code `exit`.", errorOfRun{}, "each", []string{"jtx get a.json /nope --json", "jtx set a.json /n oops --json"}},
	{"warning", "On standard error; the change was made.", warningOfRun{}, "each", nil},
}

// elsewhere are the verbs whose lines are described in a place of their own.
var elsewhere = map[string]string{"session": "cmd/clients/SESSION.md", "mcp": "cmd/internal/agent/tools.json and memory.json"}

// TestContract: what --json prints is as the schemas say, each verb has one, and the page
// about them is up to date.
func TestContract(t *testing.T) {
	c := newConsole(t)
	c.dir = filepath.Join(c.dir, "work")
	require.NoError(t, os.Mkdir(c.dir, 0o755))
	var commands []entry
	for _, s := range shapes {
		for _, command := range s.try {
			commands = append(commands, entry{command: command})
		}
	}
	outputs, _ := c.run(t, commands)
	page, seen := bytes.NewBufferString(contractHead), 0
	for _, s := range shapes {
		schema := schemaOf(reflect.TypeOf(s.of), false)
		golden(t, filepath.Join("testdata", "schema", s.name+".json"), encoded(t, schema))
		resolved, err := schemaOf(reflect.TypeOf(s.of), true).Resolve(nil)
		require.NoError(t, err)
		fmt.Fprintf(page, "\n## %s\n\nOf: %s. Schema: [%s.json](testdata/schema/%s.json). %s\n", s.name, s.verbs, s.name, s.name, s.about)
		if len(s.try) > 0 {
			page.WriteString("\n```console\n")
		}
		for _, command := range s.try {
			output := outputs[seen]
			seen++
			for line := range strings.Lines(output) {
				var value any
				require.NoError(t, json.Unmarshal([]byte(line), &value), "%s\n%s", command, output)
				by := resolved
				if strings.HasPrefix(line, `{"warning":`) { // on standard error
					by, err = schemaOf(reflect.TypeFor[warningOfRun](), true).Resolve(nil)
					require.NoError(t, err)
				}
				require.NoError(t, by.Validate(value), "%s\n%s", command, line)
			}
			if output != "" {
				fmt.Fprintf(page, "$ %s\n%s", command, c.settled(output))
			}
		}
		if len(s.try) > 0 {
			page.WriteString("```\n")
		}
	}
	golden(t, "JSON.md", page.Bytes())
}

// TestContractOfMeasures: what differs each time is as its schema says. The page does not
// show it.
func TestContractOfMeasures(t *testing.T) {
	c := newConsole(t)
	outputs, codes := c.run(t, []entry{{command: "jtx selftest --time 10ms --json"}, {command: "jtx bench --time 1ms --json"}})
	for i, of := range []reflect.Type{reflect.TypeFor[selftestJSON](), reflect.TypeFor[benchJSON]()} {
		require.Equal(t, "0", codes[i], outputs[i])
		schema, err := schemaOf(of, true).Resolve(nil)
		require.NoError(t, err)
		var value any
		require.NoError(t, json.Unmarshal([]byte(outputs[i]), &value), outputs[i])
		require.NoError(t, schema.Validate(value), outputs[i])
	}
}

// TestContractHasEachVerb looks for those that have no shape.
func TestContractHasEachVerb(t *testing.T) {
	has := map[string]bool{}
	for _, s := range shapes {
		for verb := range strings.FieldsSeq(strings.ReplaceAll(s.verbs, ",", "")) {
			has[verb] = true
		}
	}
	root := program.NewRoot(cli.NewApp(t.Context(), io.Discard, io.Discard), cli.AllVerbs)
	for _, cmd := range root.Commands() {
		if !cmd.Hidden && elsewhere[cmd.Name()] == "" {
			require.True(t, has[cmd.Name()], cmd.Name())
		}
	}
}

const contractHead = `# What --json prints

A contract: names that are here stay, and mean the same; others may be added. The schemas are JSON Schema 2020-12; each line below was
printed, but for ids, times and sizes, and is checked by a test. A transaction is "tx" everywhere, a file "file", its revision "rev"; where the name of a file
is no UTF-8, "file_bytes" has it in base64. Times are RFC 3339 in UTC. The lines of ` + "`jtx session`" + ` are in [SESSION.md](../clients/SESSION.md);
` + "`jtx mcp`" + ` speaks the Model Context Protocol, and the arguments and answers of its tools are in
[tools.json](../internal/agent/tools.json) and, with --memory, in [memory.json](../internal/agent/memory.json).

This page, and the schemas, are written by ` + "`go test ./cmd/jtx -run TestContract -update`" + `.
`

// golden compares a file with what it should have, or writes it.
func golden(t *testing.T, name string, want []byte) {
	t.Helper()
	if *update {
		require.NoError(t, os.MkdirAll(filepath.Dir(name), 0o755))
		require.NoError(t, os.WriteFile(name, want, 0o644))
	}
	have, err := os.ReadFile(name)
	require.NoError(t, err)
	require.Equal(t, string(want), string(have), "the contract has changed: what is in %s may be relied on", name)
}

func encoded(t *testing.T, schema *jsonschema.Schema) []byte {
	text, err := json.MarshalIndent(schema, "", "  ")
	require.NoError(t, err)
	return append(text, '\n')
}

var anyJSON = reflect.TypeFor[json.RawMessage]()

// schemaOf is the schema of what a type is encoded to; a strict one lets nothing else be
// there, as the published one does for what may be added.
func schemaOf(t reflect.Type, strict bool) *jsonschema.Schema {
	switch {
	case t == anyJSON:
		return &jsonschema.Schema{}
	case t == reflect.TypeFor[[]cli.Failure](): // each as the one that they are in
		return &jsonschema.Schema{Type: "array", Items: &jsonschema.Schema{Type: "object"}}
	case t.Kind() == reflect.Pointer:
		if inner := schemaOf(t.Elem(), strict); inner.Type != "" && inner.Type != "object" {
			return &jsonschema.Schema{Types: []string{inner.Type, "null"}}
		}
		return schemaOf(t.Elem(), strict)
	}
	switch t.Kind() {
	case reflect.Struct:
		s := &jsonschema.Schema{Type: "object", Properties: map[string]*jsonschema.Schema{}}
		if strict {
			s.AdditionalProperties = &jsonschema.Schema{Not: &jsonschema.Schema{}}
		}
		addFields(s, t, true, strict)
		slices.Sort(s.Required)
		s.PropertyOrder = slices.Sorted(maps.Keys(s.Properties))
		return s
	case reflect.Map:
		return &jsonschema.Schema{Type: "object", AdditionalProperties: schemaOf(t.Elem(), strict)}
	case reflect.Slice:
		return &jsonschema.Schema{Type: "array", Items: schemaOf(t.Elem(), strict)}
	case reflect.String:
		return &jsonschema.Schema{Type: "string"}
	case reflect.Bool:
		return &jsonschema.Schema{Type: "boolean"}
	case reflect.Float64:
		return &jsonschema.Schema{Type: "number"}
	case reflect.Int, reflect.Int64, reflect.Uint64, reflect.Uint32:
		return &jsonschema.Schema{Type: "integer"}
	}
	panic(t.String())
}

// addFields adds those of a struct. The file of an error, and of an origin, may be missing.
func addFields(s *jsonschema.Schema, t reflect.Type, always, strict bool) {
	for i := range t.NumField() {
		f := t.Field(i)
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case f.Anonymous && name == "":
			inner := f.Type
			if inner.Kind() == reflect.Pointer {
				inner = inner.Elem()
			}
			addFields(s, inner, always && t != reflect.TypeFor[cli.Failure]() && t.Name() != "originJSON", strict)
		case !f.IsExported() || name == "-":
		default:
			s.Properties[name] = schemaOf(f.Type, strict)
			if always && !strings.Contains(options, "omitempty") {
				s.Required = append(s.Required, name)
			}
		}
	}
}
