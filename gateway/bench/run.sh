#!/usr/bin/env bash
# Builds the benchmark and measures everything: `bench.md` is the page, `bench.json` every figure.
# About twelve minutes on a machine that does nothing else; further arguments go to the benchmark.
set -euo pipefail
cd "$(dirname "$0")/../.."
cargo build --profile dist -p lienthong -p lienthong-bench
ulimit -n "$(ulimit -Hn)"
folder=${CARGO_TARGET_DIR:-target}
exec "$folder/dist/lienthong-bench" all --with all --rounds 4 --seconds 1.5 --warm-up 0.4 \
  --gateway "$folder/dist/lienthong" --write "$folder/bench.md" --json "$folder/bench.json" "$@"
