#!/bin/bash
# unsafe: 1
NAME=demo COUNT=4
cat > new.json <<EOF
{"name": "$NAME", "count": $COUNT}
EOF
jq -c . new.json
