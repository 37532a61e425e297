#!/bin/bash
# unsafe: 1
tmp=""
cleanup() {
  [ -n "$tmp" ] && rm -f "$tmp"
}
trap cleanup EXIT
tmp=$(mktemp)
jq '.cleaned = true' f.json > "$tmp" && mv "$tmp" f.json
echo done
