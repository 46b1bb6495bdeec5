#!/usr/bin/env bash
# Samples the gateway under load and tells microseconds of a request by stage. Needs `perf` (Debian
# package `linux-perf`). Arguments go to `compare`, such as `--sizes 16k`.
set -euo pipefail
cd "$(dirname "$0")/../.."
cargo build --profile dist -p lienthong-bench
folder=${CARGO_TARGET_DIR:-target}
bench="$folder/dist/lienthong-bench"
perf record -q -e cpu-clock -F 499 --call-graph dwarf,16384 -o "$folder/perf.data" -- \
  "$bench" compare --only gateway --sizes 1k --rounds 3 --seconds 3 --json "$folder/profile.json" "$@"
perf script -i "$folder/perf.data" --no-inline -F comm,ip,sym |
  "$bench" stages --from "$folder/profile.json"
