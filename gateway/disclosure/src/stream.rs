//! Discloses an answer of any length element by element.
//!
//! In: a [`StreamView`] and the bytes of an answer in chunks cut anywhere. Out: the disclosed
//! elements, each written once it has passed whole, and at the end what makes the answer complete
//! (the rest of the document, or the closing line); or a [`Stop`], after which nothing is written.
//! Must never write a part of an element, close an answer that is not complete, or hold more than
//! one element and the envelope.
//!
//! Refused when compiled, for they need more than one element: a place that is no array or stands
//! inside another array; `uniqueItems`, `contains` (`minContains`, `maxContains`) and `prefixItems`
//! on the array; and on it or on an object around it `oneOf`, `anyOf`, `allOf`, `not`, `if`,
//! `const`, `dependentRequired`, `dependentSchemas`, `minProperties`, `maxProperties` and
//! `propertyNames`. Inside an element all of them may stand. `minItems` and `maxItems` are counted.

mod array;
mod buffer;
mod compile;
mod disclosure;
mod elements;
mod envelope;
mod judge;
mod lines;
mod located;
mod stop;

pub use compile::{StreamBounds, StreamPart, StreamShape, StreamView, relaxed};
pub use disclosure::StreamDisclosure;
pub use judge::{Judge, Judgement};
pub use stop::{Stop, StopCause, StreamTally};

#[cfg(test)]
mod tests;
