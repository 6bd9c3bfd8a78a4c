//! The JSON Schema of case files, for editors. The loader is stricter and says more.

/// The schema's text, as in `schema/case.schema.json`.
pub const CASE_FILE: &str = include_str!("../schema/case.schema.json");
