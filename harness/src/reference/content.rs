//! Content blocks: one of every type that a revision knows.

use serde_json::{Value, json};

use super::declare::PIXEL;
use super::fixture;
use crate::revision::Revision;

/// A sound of no length: WAV in base64.
const SILENCE: &str = "UklGRiQAAABXQVZFZm10IBAAAAABAAEAQB8AAEAfAAABAAgAZGF0YQAAAAA=";

/// The blocks of the tool `media`; those about resources only where the server has resources.
pub(super) fn blocks(revision: Revision, resources: bool, annotations_inside: bool) -> Vec<Value> {
    let annotations = json!({"audience": ["user", "assistant"], "priority": 0.5});
    let mut blocks = vec![
        json!({"type": "text", "text": "line one\nline two\r\nline\u{2028}three", "annotations": annotations}),
        image(),
    ];
    if revision >= Revision::V2025_03_26 {
        blocks.push(json!({"type": "audio", "data": SILENCE, "mimeType": "audio/wav"}));
    }
    if resources {
        blocks.push(embedded(annotations_inside));
    }
    if resources && revision >= Revision::V2025_06_18 {
        let link = json!({"type": "resource_link", "uri": fixture::README, "name": "readme", "mimeType": "text/plain"});
        blocks.push(link);
    }
    blocks
}

pub(super) fn image() -> Value {
    json!({"type": "image", "data": PIXEL, "mimeType": "image/png"})
}

/// A resource inside a message; its annotations are on the block, or inside where that reading is taken.
pub(super) fn embedded(annotations_inside: bool) -> Value {
    let mut resource = json!({"uri": fixture::README, "mimeType": "text/plain", "text": "A memo, embedded."});
    let annotations = json!({"audience": ["user"], "priority": 1});
    if annotations_inside {
        resource["annotations"] = annotations;
        return json!({"type": "resource", "resource": resource});
    }
    json!({"type": "resource", "resource": resource, "annotations": annotations})
}
