#!/bin/bash
# unsafe: 2
set -e
SHA=0123abc
jq -n \
  --arg sha "$SHA" \
  --arg env "${ENVIRONMENT:-staging}" \
  '{sha: $sha, env: $env}' > build.json

jq --arg sha "$SHA" '.deployed = $sha' f.json > f.json.new
mv f.json.new f.json
cat build.json
