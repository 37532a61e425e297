#!/bin/bash
# unsafe: 2
set -C
echo '{"made": true}' > new.json || echo there
echo '{"made": false}' > new.json 2>/dev/null || echo refused
cat new.json
