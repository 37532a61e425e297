#!/bin/sh
# unsafe: 0
# A file with a document on each line, which is none of jtx's business.
echo '{"event": "start"}' >> events.jsonl
echo '{"event": "end"}' >> events.jsonl
jq -c 'select(.event == "end")' events.jsonl > events.tmp && mv events.tmp events.jsonl
wc -l < events.jsonl | tr -d ' '
