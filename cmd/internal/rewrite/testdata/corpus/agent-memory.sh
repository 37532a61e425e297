#!/bin/bash
# unsafe: 3
# Keeps an agent's state between runs.
STATE=f.json

init_state() {
  if [ ! -f "$STATE" ]; then
    echo '{"count": 0, "list": []}' > "$STATE"
  fi
}

remember() {
  jq --arg id "$1" '.list += [{"id": $id}]' "$STATE" > "$STATE.tmp" && mv "$STATE.tmp" "$STATE"
}

count() {
  jq '.count += 1' "$STATE" > "$STATE.tmp" && mv "$STATE.tmp" "$STATE"
}

init_state
remember alpha
remember beta
count
jq -r '.list | length' "$STATE"
