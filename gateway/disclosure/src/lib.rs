//! What may leave: validate, project and mask in one bounded pass.
