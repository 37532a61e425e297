#!/bin/sh
# unsafe: 1
jq '.flat = ([.zeta] | map(map(.)) | flatten)' f.json > f.tmp && mv f.tmp f.json
jq -c .flat f.json
