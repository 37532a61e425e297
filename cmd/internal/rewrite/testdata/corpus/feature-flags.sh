#!/bin/bash
# unsafe: 2
set -euo pipefail

FLAGS="${FLAGS:-f.json}"

enable() {
  local name="$1"
  local tmp
  tmp="$(mktemp)"
  jq --arg n "$name" '.flags[$n] = true' "$FLAGS" > "$tmp" && mv "$tmp" "$FLAGS"
}

disable() {
  local name="$1"
  local tmp
  tmp="$(mktemp)"
  jq --arg n "$name" 'del(.flags[$n])' "$FLAGS" > "$tmp" && mv "$tmp" "$FLAGS"
}

enable dark-mode
enable beta
disable beta
echo "flags: $(jq -c .flags "$FLAGS")"
