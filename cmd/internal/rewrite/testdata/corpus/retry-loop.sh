#!/bin/bash
# unsafe: 1
for attempt in 1 2 3; do
  if jq --argjson n "$attempt" '.attempt = $n' f.json > f.tmp && mv f.tmp f.json; then
    echo "ok after $attempt"
    break
  fi
done
