//! Everything that is made of a record, tested from outside.

mod annotations;
mod any;
mod autobahn;
mod badge;
mod baseline;
mod comparing;
mod conformance;
mod csv;
mod expecting;
mod formats;
mod fuzzing;
mod gating;
mod grading;
mod junit;
mod markdown;
mod merging;
mod page;
mod reading;
mod realistic;
mod sample;
mod sarif;
mod tap;
mod texts;
mod variants;
mod writing;
