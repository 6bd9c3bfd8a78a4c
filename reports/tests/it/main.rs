//! Everything that is made of a record, tested from outside.

mod annotations;
mod autobahn;
mod badge;
mod conformance;
mod csv;
mod formats;
mod fuzzing;
mod grading;
mod junit;
mod markdown;
mod page;
mod pcap;
mod reading;
mod realistic;
mod repeated;
mod sample;
mod sarif;
mod tap;
mod texts;
mod variants;
mod writing;
