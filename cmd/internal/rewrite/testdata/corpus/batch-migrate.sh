#!/bin/bash
# unsafe: 2
migrate() {
  local file="$1"
  local backup="$file.v1"
  cp "$file" "$backup"
  jq '.schema = 2 | .items = (.list // [])' "$file" > "$file.tmp" && mv "$file.tmp" "$file" || return 1
  jq 'del(.list)' "$file" > "$file.tmp"
  [ -s "$file.tmp" ] && mv "$file.tmp" "$file"
}
for f in f.json other.json; do
  migrate "$f" && echo "migrated $f"
done
rm -f ./*.v1
