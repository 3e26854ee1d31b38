//! The argument generator against arbitrary schemas.

use serde_json::Value;

use crate::arguments::{Spoil, spoilt, valid};

/// Makes arguments for a schema.
///
/// # Panics
///
/// If the same schema gives different arguments, or spoiling them changes nothing.
pub fn arguments(schema: &Value) {
    let arguments = valid(schema);
    assert_eq!(arguments, valid(schema));
    for spoil in [Spoil::MissingRequired, Spoil::WrongType, Spoil::UnknownMember] {
        let spoilt = spoilt(schema, spoil);
        assert!(spoilt.is_none() || (arguments.is_some() && spoilt != arguments), "{spoil:?} changes nothing");
    }
}
