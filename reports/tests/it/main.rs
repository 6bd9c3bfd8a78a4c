//! Everything that is made of a record, tested from outside.

mod autobahn;
mod badge;
mod conformance;
mod csv;
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
