#!/bin/bash
# unsafe: 3
DB="f.json"
add_user() {
  local id="$1" tmp
  tmp=$(mktemp) || return 1
  if ! jq --argjson id "$id" '.list += [{id: $id, on: true}]' "$DB" > "$tmp"; then
    rm -f "$tmp"
    return 1
  fi
  mv "$tmp" "$DB"
}
remove_user() {
  local id="$1" tmp
  tmp=$(mktemp)
  jq --argjson id "$id" 'del(.list[] | select(.id == $id))' "$DB" > "$tmp" || { rm -f "$tmp"; return 1; }
  mv "$tmp" "$DB"
}
toggle() {
  local tmp
  tmp=$(mktemp)
  jq --argjson id "$1" '(.list[] | select(.id == $id) | .on) |= not' "$DB" > "$tmp" && mv "$tmp" "$DB"
}
add_user 7 && add_user 8
remove_user 1
toggle 2 || echo "toggle failed"
jq -c '.list' "$DB"
