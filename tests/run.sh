#!/usr/bin/env bash
# Runs every check of the repository and ends with the line `N passed, N failed`.
#
# Needs a Rust toolchain (1.94 or newer, with rustfmt and clippy), Debian's `build-essential`,
# `openssl`, whose program judges what we sign, and `postgresql`, `mariadb-server-core` and
# `mariadb-client-core`, whose servers the tests start on sockets of their own; nothing else, and no
# network but the crate registry. Every step runs even when an earlier one failed, so that one run
# tells everything. Exit code 0 when nothing failed, 1 when something did, 3 when a tool is missing.
set -euo pipefail
# Every step gets its own process group, so that an interrupt ends all of it.
set -m
cd "$(dirname "${BASH_SOURCE[0]}")/.."

export CARGO_TERM_COLOR=never
if [[ "${CI:-}" == true ]]; then
    export CARGO_TERM_PROGRESS_WHEN=never NEXTEST_STATUS_LEVEL=fail
fi

scratch=$(mktemp -d)
child=
passed=0
failed=0
report=()

finish() {
    local code=$?
    trap - EXIT INT TERM HUP
    if [[ -n "$child" ]]; then
        kill -TERM -- "-$child" 2>/dev/null || true
        wait "$child" 2>/dev/null || true
    fi
    rm -rf "$scratch"
    exit "$code"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
trap 'exit 129' HUP

# need COMMAND HOW: stops with the way to install a command that is missing.
missing=0
need() {
    if ! command -v "$1" >/dev/null 2>&1; then
        echo "missing: \`$1\`; $2" >&2
        missing=1
    fi
}

# need_component SUBCOMMAND COMPONENT: the same for a part of the Rust toolchain.
need_component() {
    if ! cargo "$1" --version >/dev/null 2>&1; then
        echo "missing: \`cargo $1\`; run: rustup component add $2" >&2
        missing=1
    fi
}

# sum LABEL FILE: adds up every `N LABEL` of the lines in which a test runner sums up.
sum() {
    sed -nE '/^(test result:|[[:space:]]+Summary \[|[0-9]+ cases passed, )/p' "$2" |
        grep -oE "[0-9]+ (cases )?$1" | awk '{ n += $1 } END { print n + 0 }' || true
}

# step KIND NAME COMMAND...: runs one step. KIND `check` counts as one; KIND `tests` counts what
# the runner's summary says, and at least one failure when the runner itself failed or found
# nothing to run; KIND `any-tests` is the same where nothing to run is fine.
step() {
    local kind=$1 name=$2 log="$scratch/log" code=0 ok=0 bad=0 begun=$SECONDS
    shift 2
    echo
    echo "== $name: $*"
    { "$@" 2>&1 </dev/null | tee "$log"; } &
    child=$!
    wait "$child" || code=$?
    child=
    if [[ "$kind" == *tests ]]; then
        ok=$(sum passed "$log")
        bad=$(sum failed "$log")
    elif ((code == 0)); then
        ok=1
    fi
    if ((code != 0 && bad == 0)); then
        bad=1
    fi
    if [[ "$kind" != any-tests ]] && ((code == 0 && ok + bad == 0)); then
        echo "no test ran, which counts as a failure"
        bad=1
    fi
    passed=$((passed + ok))
    failed=$((failed + bad))
    report+=("$(printf '%-16s %5d s  %5d passed  %3d failed' \
        "$name" $((SECONDS - begun)) "$ok" "$bad")")
}

need cc "on Debian: apt-get install build-essential"
need perl "on Debian: apt-get install build-essential"
need openssl "on Debian: apt-get install openssl"
need cargo "on Debian: apt-get install rustup, then: rustup default stable"
# Debian keeps the server's programs off the path.
for folder in /usr/lib/postgresql/*/bin; do
    PATH=$PATH:$folder
done
PATH=$PATH:/usr/sbin
need postgres "on Debian: apt-get install postgresql"
need initdb "on Debian: apt-get install postgresql"
need mariadbd "on Debian: apt-get install mariadb-server-core"
need mariadb-install-db "on Debian: apt-get install mariadb-server-core"
need my_print_defaults "on Debian: apt-get install mariadb-client-core"
if ((missing == 0)); then
    need_component fmt rustfmt
    need_component clippy clippy
fi
if ((missing != 0)); then
    exit 3
fi

step check formatting cargo fmt --all --check
step check clippy cargo clippy --workspace --all-targets --locked -- -D warnings
if cargo nextest --version >/dev/null 2>&1; then
    step tests tests cargo nextest run --workspace --locked
else
    step tests tests cargo test --workspace --all-targets --locked --no-fail-fast
fi
step any-tests "doc tests" cargo test --workspace --doc --locked --no-fail-fast
step check documentation env RUSTDOCFLAGS="-D warnings" \
    cargo doc --workspace --no-deps --locked

# The build of the tests has made the program; asking cargo to run it could build it once more
# with other features.
target=$(cargo metadata --no-deps --format-version 1 --locked |
    sed -nE 's/.*"target_directory":"([^"]*)".*/\1/p' || true)
target=${target:-target}
step check "policy check" "$target/debug/lienthong" --lang en policy check policies
step tests "policy test" "$target/debug/lienthong" --lang en policy test policies

echo
printf '%s\n' "${report[@]}"
echo "$((SECONDS / 60)) min $((SECONDS % 60)) s in all"
echo "$passed passed, $failed failed"
((failed == 0))
