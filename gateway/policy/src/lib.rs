//! The policy decision point: files to a checked policy set to a decision.
