#!/bin/sh
# unsafe: 1
# layout: exact
set -e
jq -c . f.json > f.tmp
mv f.tmp f.json
wc -l < f.json | tr -d ' '
