#!/bin/bash
# unsafe: 1
BODY='"a": 1'
cat > new.json <<EOF
{ $BODY }
EOF
jq -c . new.json
