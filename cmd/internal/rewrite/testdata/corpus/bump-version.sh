#!/bin/sh
# unsafe: 1
# Raises the patch version of a package.
set -e
current=$(jq -r .version f.json)
next=${current%.*}.$((${current##*.} + 1))
tmp=$(mktemp)
jq --arg v "$next" '.version = $v' f.json > "$tmp"
mv "$tmp" f.json
echo "$current -> $next"
