#!/bin/bash
# unsafe: 1
# The temporary file is looked at before it is moved.
jq '.count = 5' f.json > f.new
diff f.json f.new > /dev/null || echo "it differs"
mv f.new f.json
