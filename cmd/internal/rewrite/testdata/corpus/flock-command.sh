#!/bin/bash
# unsafe: 1
exec 9> .lock
flock 9
tmpfile=$(mktemp)
jq '.locked = true' f.json > "$tmpfile" && cat "$tmpfile" > f.json
rm -f "$tmpfile"
rm -f .lock
