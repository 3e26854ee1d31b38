//! JSON-RPC framing: versions, ids, responses, refusals, batches.
//!
//! - [`envelope`]: what every message of the subject looks like
//! - [`response`]: how requests are answered
//! - [`refusal`]: how what is unknown or malformed is answered
//! - [`batch`]: arrays of messages
//! - [`client`]: what only clients have to mind

pub mod batch;
pub mod client;
pub mod envelope;
pub mod refusal;
pub mod response;

use super::Rule;

/// The rules of this area.
pub static RULES: &[&Rule] = &[
    &envelope::VERSION_MEMBER,
    &envelope::REQUEST_ID_TYPE,
    &envelope::REQUEST_ID_NOT_NULL,
    &envelope::REQUEST_ID_UNIQUE,
    &envelope::NOTIFICATION_NO_ID,
    &envelope::PARAMS_OBJECT,
    &envelope::UTF8,
    &response::SAME_ID,
    &response::ID_TYPE_PRESERVED,
    &response::EXACTLY_ONE,
    &response::RESULT_XOR_ERROR,
    &response::RESULT_IS_OBJECT,
    &response::ERROR_CODE_AND_MESSAGE,
    &response::ERROR_CODE_INTEGER,
    &refusal::ERROR_ID_OMISSION,
    &refusal::NOTIFICATION_NO_RESPONSE,
    &refusal::UNKNOWN_METHOD_ANSWERED,
    &refusal::UNKNOWN_METHOD_CODE,
    &refusal::UNKNOWN_METHOD_CODE_STATELESS,
    &refusal::PARSE_ERROR,
    &refusal::INVALID_REQUEST,
    &batch::RECEIVE,
    &batch::NOTIFICATIONS_ONLY_SILENT,
    &batch::NOT_SENT,
    &client::ID_UNIQUE_IN_FLIGHT,
    &client::INITIALIZE_EXCLUDED,
];
