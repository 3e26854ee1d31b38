//! Tools: what a list of them says, and what calling them gives.
//!
//! - `offer`: which tools the subject offered when, and what became of the calls
//! - `list`: tools/list
//! - `call`: tools/call and the shape of its results
//! - `arguments`: arguments against input schemas
//! - `structured`: structured content against output schemas
//! - `client`: how a client calls tools, and what it makes of structured content

mod arguments;
mod call;
pub(super) mod client;
mod list;
pub(super) mod offer;
mod structured;

use super::Rule;

/// The rules of this area.
pub static RULES: &[&Rule] = &[
    &list::DETERMINISTIC_ORDER,
    &list::ITEM_FIELDS,
    &list::OUTPUT_SCHEMA_ROOT,
    &list::NAME_FORMAT,
    &list::NAME_UNIQUE,
    &call::NAME_CASE_SENSITIVE,
    &call::RESULT_SHAPE,
    &call::UNKNOWN_TOOL,
    &call::MALFORMED_REQUEST,
    &call::EMBEDDED_RESOURCE_CAPABILITY,
    &call::EXECUTION_ERROR_AS_RESULT,
    &arguments::INPUTS_VALIDATED,
    &arguments::INPUT_ERROR_AS_TOOL_ERROR,
    &structured::OBJECT,
    &structured::CONFORMS,
    &structured::TEXT_COPY,
    &client::ARGUMENTS_OBJECT,
    &client::VALIDATES,
];
