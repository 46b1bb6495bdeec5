//! From city databases to the national platforms: source, map, check, outbox, deliver.
