#!/bin/bash
# unsafe: 1
cp f.json f.json.bak
if jq '.risky = true' f.json > f.json.tmp && mv f.json.tmp f.json; then
  echo changed
fi
rm -f f.json.bak
