#!/usr/bin/env bash
# Tells microseconds of a request by stage and by kind of work. The second half needs `perf` (Debian
# package `linux-perf`) and takes arguments of `compare`, such as `--sizes 16k`.
set -euo pipefail
cd "$(dirname "$0")/../.."
cargo build --profile dist -p lienthong -p lienthong-bench
folder=${CARGO_TARGET_DIR:-target}
bench="$folder/dist/lienthong-bench"
gateway="$folder/dist/lienthong"
"$bench" stages --gateway "$gateway"
perf record -q -e cpu-clock -F 499 --call-graph dwarf,16384 -o "$folder/perf.data" -- \
  "$bench" compare --gateway "$gateway" --only gateway --sizes 1k --rounds 3 --seconds 3 --json "$folder/profile.json" "$@"
perf script -i "$folder/perf.data" --no-inline -F comm,ip,sym |
  "$bench" stacks --from "$folder/profile.json"
