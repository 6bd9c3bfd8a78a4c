//! Everything that is made of a record, tested from outside.

mod any;
mod autobahn;
mod baseline;
mod comparing;
mod conformance;
mod expecting;
mod fuzzing;
mod gating;
mod grading;
mod merging;
mod page;
mod reading;
mod realistic;
mod sample;
mod texts;
mod writing;
