//! Stand-ins of the national platforms, with fault injection.
