#!/bin/bash
# unsafe: 2
QUEUE=queue.json
echo '[]' > "$QUEUE"
push() {
  jq --arg job "$1" '. + [$job]' "$QUEUE" > "$QUEUE.new" && mv -f "$QUEUE.new" "$QUEUE"
}
push one
push two
jq -c . "$QUEUE"
