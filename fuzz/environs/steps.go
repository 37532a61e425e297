package environs

// step is a verb at work on what the steps before it have left. Its script runs in
// a shell, with jtx in its PATH, and a directory $OUT for what is not compared.
type step struct {
	name string
	// before is what the user, or another program, does first.
	before string
	script string
	// reads: it looks and changes nothing, so that it works also where nothing can be
	// changed.
	reads bool
	// lockless: it changes something, but no tracked file.
	lockless bool
	// parts: it is several changes, of which the first may be done and the next one not.
	parts bool
}

// steps go through every verb that changes something, each in the ways in which it
// comes to a file: one that is new, one that was not tracked yet, one that was, in
// place, one that is gone, several at once, over another workspace.
var steps = []step{
	{name: "set, a new file", script: `jtx set new.json /v 1`},
	{name: "set", script: `jtx set new.json /v 2`},
	{name: "set, first touch", before: `printf '{"v": 1,\n "s": "secret-1"}' >a.json`, script: `jtx set a.json /v 2`},
	{name: "set in place", script: `jtx set --in-place a.json /v 3`},
	{name: "set at journal", script: `jtx set --durability journal a.json /v 4; jtx set --durability journal n1.json /v 4`, parts: true},
	{name: "set at none", script: `jtx set --durability none a.json /v 5; jtx set --durability none n2.json /v 4`, parts: true},
	{name: "set of what was read-only by mode", before: `chmod 440 a.json`, script: `jtx set a.json /v 6`},
	{name: "put", script: `echo '{"v": 1, "w": [1, 2]}' | jtx put b.json`},
	{name: "put over", before: `chmod 644 a.json`, script: `jtx put b.json '{"v": 2, "w": [1, 2, 3]}'`},
	{name: "del", script: `jtx del b.json /w/0`},
	{name: "patch", script: `jtx patch b.json '[{"op": "add", "path": "/w/-", "value": 4}]'`},
	{name: "merge", script: `jtx merge b.json '{"x": {"y": null, "z": 1}}'`},
	{name: "update", script: `jtx update b.json '.v += 1'`},
	{name: "update, a new file", script: `jtx update u.json --default '{"n": 1}' '.n += 1'`},
	{name: "fmt", script: `jtx fmt --indent 4 b.json`},
	{name: "pipe", script: `jtx pipe b.json -- tr 3 5`},
	{name: "edit", before: `rm -f e.json; printf '#!/bin/sh\necho "{\\"edited\\": true}" >"$1"\n' >ed; chmod +x ed`, script: `EDITOR=./ed jtx edit e.json`},
	{name: "do", before: `mkdir -p d`, script: `printf '%s\n' '{"file": "a.json", "set": {"/n": 70}}' '{"file": "b.json", "set": {"/n": 130}}' '{"file": "d/c.json", "put": 1}' | jtx do`},
	{name: "do over two workspaces", script: `jtx do '[{"file": "a.json", "set": {"/n": 71}}, {"file": "d/c.json", "put": {"n": 1}}]'`},
	{name: "run", script: `jtx run a.json b.json r.json -- sh -c 'jtx set a.json /n 1 && jtx set b.json /n 2 && jtx put r.json --value 1'`},
	{name: "begin, apply, commit", script: `tx=$(jtx begin a.json); jtx apply $tx a.json '[{"op": "replace", "path": "/n", "value": 5}]'; jtx set --tx $tx -p t.json /deep/er 5; jtx commit $tx`},
	{name: "begin --lock, commit", script: `tx=$(jtx begin --lock a.json); jtx set --tx $tx a.json /n 6; jtx commit $tx`},
	{name: "abort", script: `tx=$(jtx begin --lock a.json); jtx set --tx $tx a.json /n 7; jtx abort $tx`},
	{name: "undo", script: `tx=$(jtx set a.json /n 8); jtx undo ${tx%% *}`, parts: true},
	{name: "cp", script: `jtx cp a.json copy.json; jtx cp -f b.json copy.json`, parts: true},
	{name: "mv", script: `jtx mv copy.json moved.json; jtx cp a.json two.json; jtx mv -f moved.json two.json`, parts: true},
	{name: "mv to another workspace", script: `jtx mv two.json d/two.json`},
	{name: "rm", script: `jtx rm d/two.json`},
	{name: "restore what is gone", script: `jtx restore d/two.json`},
	{name: "restore", script: `jtx restore b.json@1`},
	{name: "an edit, then set", before: `echo '{"v": 100}' >b.json`, script: `jtx set b.json /w 1`},
	{name: "an edit, then recover", before: `echo '{"v": 101}' >b.json`, script: `jtx recover`},
	{name: "a new file by an editor, then set", before: `echo '{"v": 1}' >.tmp; mv .tmp b.json`, script: `jtx set b.json /w 2`},
	{name: "a removal, then set", before: `rm b.json; sleep 0.2`, script: `jtx set b.json /v 2`},
	{name: "protect", script: `jtx protect b.json`},
	{name: "heal", before: `printf '{' >b.json`, script: `jtx protect --heal`},
	{name: "recover --seen", script: `jtx recover --seen`, lockless: true},
	{name: "forget", before: `jtx update n1.json '.v += 1'`, script: `jtx forget n1.json`},
	{name: "compact", script: `jtx compact --keep-revs 1`},
	{name: "redact", script: `jtx set a.json /s '"harmless"'; jtx redact a.json /s`, parts: true},
	{name: "config", script: `jtx config log-bytes 1000000`},
	{name: "init", before: `mkdir -p tree/sub`, script: `jtx set tree/sub/a.json /v 1; jtx init tree; jtx set tree/b.json /v 1; jtx set tree/sub/a.json /v 2`, parts: true},
	{name: "init --remove", before: `mkdir -p gone; jtx init gone; jtx set gone/a.json /v 1`, script: `jtx init --remove gone`},
	{name: "backup", script: `jtx backup $OUT/saved; jtx backup --check $OUT/saved`, reads: true},
	{name: "restore from a backup", before: `jtx set a.json /v 77`, script: `jtx restore --from $OUT/saved a.json`},
	{name: "rewrite", before: `printf '#!/bin/sh\njq .a=1 a.json >tmp && mv tmp a.json\n' >s.sh`, script: `jtx rewrite --write s.sh`, lockless: true},
	{name: "get", script: `jtx get a.json >$OUT/get`, reads: true},
	{name: "snapshot", script: `jtx snapshot a.json b.json >$OUT/snapshot`, reads: true},
	{name: "log, show, diff, blame", script: `jtx log; jtx diff a.json@-1 a.json || test $? = 1; jtx blame a.json`, reads: true},
	{name: "status, tx, locks", script: `jtx tx; jtx locks; jtx status`, reads: true},
	{name: "verify", script: `jtx verify`, reads: true},
}
