#!/bin/bash
# unsafe: 1
# layout: exact
t=$(mktemp)
jq --tab . f.json > "$t" && mv "$t" f.json
