#!/bin/bash
# unsafe: 1
jq '.status = "ready"' f.json > out.tmp
if [ $? -ne 0 ]; then
  echo "jq failed" >&2
  rm -f out.tmp
  exit 2
fi
mv out.tmp f.json
echo "ready"
