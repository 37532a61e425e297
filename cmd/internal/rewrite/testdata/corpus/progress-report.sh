#!/bin/bash
# unsafe: 2
report() {
  printf '{"step": "%s", "percent": %d}\n' "$1" "$2" > progress.json
}
report start 0
report middle 50
printf '%s\n' '{"step": "end", "percent": 100}' > progress.json
cat progress.json
