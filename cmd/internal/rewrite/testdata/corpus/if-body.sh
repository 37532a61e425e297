#!/bin/sh
# unsafe: 1
if jq '.count = 4' f.json > f.json.tmp; then
  mv f.json.tmp f.json
  echo "updated"
else
  echo "could not update" >&2
  rm -f f.json.tmp
  exit 1
fi
