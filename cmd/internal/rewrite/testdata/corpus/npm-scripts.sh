#!/usr/bin/env bash
# unsafe: 2
set -o errexit -o nounset -o pipefail
pkg=f.json
contents="$(jq '.scripts.test = "jest"' "$pkg")"
echo "${contents}" > "$pkg"
contents2="$(jq --indent 4 '.private = true' "$pkg")" && echo -E "${contents2}" > "$pkg"
