#!/bin/bash
# unsafe: 1
LOCK=/tmp/rewrite-corpus-$$.lock
update() {
  (
    flock -x 200 || exit 1
    jq "$1" f.json > f.json.tmp && mv f.json.tmp f.json
  ) 200> "$LOCK"
}
update '.count = 9'
update '.name = "locked"'
rm -f "$LOCK"
