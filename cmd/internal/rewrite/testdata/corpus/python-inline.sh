#!/bin/bash
# unsafe: 1
# Not for a shell rewriter: Python opens the file itself.
python3 - <<'EOF'
import json
d = json.load(open('f.json'))
d['count'] = 99
json.dump(d, open('f.json', 'w'))
EOF
