#!/bin/bash
# unsafe: 4
# A small settings tool, as many projects carry one.
set -euo pipefail
SETTINGS_FILE="${SETTINGS_FILE:-settings.json}"

ensure() {
  [[ -f "$SETTINGS_FILE" ]] || echo '{}' > "$SETTINGS_FILE"
}

set_value() {
  local key="$1" value="$2"
  ensure
  jq --arg k "$key" --arg v "$value" '.[$k] = $v' "$SETTINGS_FILE" > "${SETTINGS_FILE}.tmp"
  mv "${SETTINGS_FILE}.tmp" "$SETTINGS_FILE"
}

unset_value() {
  ensure
  jq --arg k "$1" 'del(.[$k])' "$SETTINGS_FILE" > "${SETTINGS_FILE}.tmp" \
    && mv "${SETTINGS_FILE}.tmp" "$SETTINGS_FILE"
}

reset() {
  cat <<JSON > "$SETTINGS_FILE"
{"reset": true}
JSON
}

set_value color blue
set_value size large
unset_value size
jq -S -c . "$SETTINGS_FILE"
reset
