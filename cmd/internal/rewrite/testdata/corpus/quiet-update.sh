#!/bin/sh
# unsafe: 2
jq '.quiet = true' f.json > f.tmp 2>/dev/null && mv f.tmp f.json
jq '.quiet = false' f.json 2>/dev/null > f.tmp && mv f.tmp f.json || true
