#!/bin/bash
# unsafe: 1
CFG=$(echo state.conf)
echo '{"a": 1}' | jq '.b = 2' > "$CFG"
jq -c . "$CFG"
