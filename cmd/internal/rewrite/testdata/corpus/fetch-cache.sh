#!/bin/sh
# unsafe: 1
CACHE=cache.json
if curl -fsS "https://api.example.org/data" > "$CACHE.tmp"; then
  mv "$CACHE.tmp" "$CACHE"
else
  rm -f "$CACHE.tmp"
  echo "offline, using the cache" >&2
fi
jq -r .from "$CACHE"
