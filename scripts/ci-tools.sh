#!/usr/bin/env bash
# What the tests need beyond npm's packages: redis-server, for the queue's tests.
set -euo pipefail
command -v redis-server > /dev/null && exit 0
sudo=''
[ "$(id -u)" -eq 0 ] || sudo=sudo
export DEBIAN_FRONTEND=noninteractive
$sudo apt-get update -q
$sudo apt-get install -qy --no-install-recommends redis-server
