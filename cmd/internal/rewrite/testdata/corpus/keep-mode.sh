#!/bin/bash
# unsafe: 1
set -e
t=$(mktemp)
jq '.mode = "kept"' f.json > "$t"
chmod --reference=f.json "$t"
mv "$t" f.json
