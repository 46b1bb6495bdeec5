//! What may leave: validate, project and mask in one bounded pass.
//!
//! In: a [`View`] (schema and masks of one body in one direction, compiled at load) and the bytes
//! of a body. Out: the disclosed body, canonical, and a [`Tally`] of what passed; or a
//! [`Violation`]. Parameters go the same way through a [`ParameterView`], forms through a
//! [`FormView`], bodies in parts through a [`MultipartView`], whole files through an
//! [`OpaqueView`], answers of any length element by element through a [`StreamView`]. A [`Locator`]
//! tells whom a body is about, [`disclosed_values`] each value that left.
//!
//! Must never let a field pass that the view does not name, pass a value that could not be
//! masked, name a key or value of a payload in an error, or use memory without a bound.

mod fingerprint;
mod form;
mod format;
mod header;
mod leaf;
mod mask;
mod multipart;
mod number;
mod opaque;
mod parameters;
mod properties;
mod province;
mod pseudonym;
mod rules;
mod scan;
mod stream;
mod text_field;
mod tree;
mod values;
mod view;
mod violation;
mod walk;
mod write;

pub use form::FormView;
pub use multipart::MultipartView;
pub use opaque::{OpaqueFile, OpaqueView};
pub use parameters::{Disclosed, DisclosedParameter, ParameterRule, ParameterView};
pub use pseudonym::Pseudonymiser;
pub use stream::{
    Judge, Judgement, Stop, StopCause, StreamBounds, StreamDisclosure, StreamPart, StreamShape,
    StreamTally, StreamView, relaxed as relaxed_around_stream,
};
pub use values::{Locator, disclosed_values};
pub use view::{Bounds, Direction, View};
pub use violation::{Tally, ViewError, ViewProblem, Violation, ViolationKind};
