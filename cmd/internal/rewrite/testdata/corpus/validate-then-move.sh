#!/bin/sh
# unsafe: 1
jq '.validated = true' f.json > f.json.tmp &&
  jq empty f.json.tmp &&
  mv f.json.tmp f.json || {
  echo "invalid" >&2
  rm -f f.json.tmp
  exit 1
}
