#!/bin/bash
# unsafe: 1
jq '.zeta |= (to_entries | map(select(.value > 1)) | from_entries)' f.json > f.tmp && mv f.tmp f.json
jq -c .zeta f.json
