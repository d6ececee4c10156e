#!/bin/sh
# What tests take from the system where its package manager can: redis-server, Chromium and promtool. Never fails the build:
# a test that misses one is skipped and says so.
set -u
missing=""
command -v redis-server >/dev/null 2>&1 || missing="$missing redis-server"
command -v chromium >/dev/null 2>&1 || missing="$missing chromium"
command -v promtool >/dev/null 2>&1 || missing="$missing prometheus"
[ -z "$missing" ] && exit 0
command -v apt-get >/dev/null 2>&1 || { echo "not installed:$missing (no apt-get here)"; exit 0; }
[ "$(id -u)" = 0 ] || { echo "not installed:$missing (not root; tests that need them are skipped)"; exit 0; }
echo "installing$missing"
apt-get -qq update >/dev/null 2>&1
# shellcheck disable=SC2086
DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends $missing >/dev/null 2>&1 \
    || echo "could not install:$missing (tests that need them are skipped)"
