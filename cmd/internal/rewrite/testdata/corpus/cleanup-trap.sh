#!/bin/bash
# unsafe: 1
set -e
TMPFILE=$(mktemp /tmp/cfg.XXXXXX)
trap 'rm -f "$TMPFILE"' EXIT

jq '.zeta.a = 10 | .count = 0' f.json > "$TMPFILE"
mv "$TMPFILE" f.json
echo "config written"
