#!/bin/sh
# unsafe: 3
mkdir -p data
[ -f data/a.json ] || echo '[]' > data/a.json
test -e data/b.json || printf '{}\n' > data/b.json
if [ ! -s data/c.json ]; then
  echo "{\"created\": true}" > data/c.json
fi
ls data
