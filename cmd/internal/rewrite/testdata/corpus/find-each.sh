#!/bin/bash
# unsafe: 1
find . -maxdepth 1 -name other.json -exec sh -c "jq .n=1 \$1 > t && mv t \$1" _ {} \;
jq -c . other.json
