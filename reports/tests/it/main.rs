//! Everything that is made of a record, tested from outside.

mod autobahn;
mod conformance;
mod fuzzing;
mod grading;
mod junit;
mod page;
mod reading;
mod realistic;
mod sample;
mod texts;
mod variants;
mod writing;
