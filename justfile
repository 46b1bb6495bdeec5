# The front door: `just` lists what there is.

default:
    @just --list

# Everything that must hold before a change is sent.
check:
    bash tests/run.sh

# Format the code.
fmt:
    cargo fmt --all

# The tests alone; arguments go to the runner, e.g. `just test disclosure`.
test *ARGS:
    cargo test --workspace --locked -- {{ARGS}}

# Build the documentation of every crate.
docs:
    RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --locked

# Show the whole thing at work; arguments go to the program, e.g. `just demo --once`.
demo *ARGS:
    cargo run --release --locked -- demo {{ARGS}}

# Check the shipped policies and run their cases.
policies:
    cargo run --locked -- policy check policies
    cargo run --locked -- policy test policies

# Run a fuzz target for some seconds, e.g. `just fuzz strict_json 60`.
fuzz TARGET SECONDS:
    cargo run --release --locked --manifest-path tests/fuzz/Cargo.toml --bin {{TARGET}} -- {{SECONDS}}

# Licences, bans and advisories; needs `cargo install --locked cargo-deny`.
deny:
    cargo deny --locked check
