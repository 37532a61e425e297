#!/bin/sh
# unsafe: 1
PORT=${PORT:-8080}
HOST=localhost
cat > config.json <<EOF
{
  "host": "$HOST",
  "port": $PORT
}
EOF
echo "wrote config.json"
