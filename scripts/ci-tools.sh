#!/usr/bin/env bash
# Installs what the tests need beyond npm packages: redis-server for the queue, chromium for the page.
set -euo pipefail
missing=()
for tool in redis-server chromium; do
  command -v "$tool" > /dev/null || missing+=("$tool")
done
[ ${#missing[@]} -gt 0 ] || exit 0
sudo=''
[ "$(id -u)" -eq 0 ] || sudo=sudo
export DEBIAN_FRONTEND=noninteractive
$sudo apt-get update -q
$sudo apt-get install -qy --no-install-recommends "${missing[@]}"
