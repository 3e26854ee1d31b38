//! What the honest server sends, against the official schemas. They are not part of the project: `MCP_SCHEMA_DIR` names
//! the directory that has `<revision>/schema.json`.

use std::collections::BTreeMap;
use std::path::Path;

use jsonschema::Validator;
use serde_json::{Value, json};

use super::{Bench, tour, tour_lines};
use crate::reference::{Behaviour, variants};
use crate::revision::Revision;

struct Schemas {
    schema: Value,
    validators: BTreeMap<&'static str, Validator>,
}

impl Schemas {
    fn load(directory: &str, revision: Revision) -> Self {
        let path = Path::new(directory).join(revision.as_str()).join("schema.json");
        let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        Self { schema: serde_json::from_str(&text).unwrap(), validators: BTreeMap::new() }
    }

    fn check(&mut self, name: &'static str, value: &Value) {
        let schema = &self.schema;
        let validator = self.validators.entry(name).or_insert_with(|| {
            let place = if schema.get("$defs").is_some() { "$defs" } else { "definitions" };
            assert!(schema[place].get(name).is_some(), "the schema has no {name}");
            let whole = json!({
                "$schema": schema["$schema"], "$ref": format!("#/{place}/{name}"), place: schema[place],
            });
            jsonschema::validator_for(&whole).unwrap()
        });
        let errors: Vec<_> = validator.iter_errors(value).map(|error| format!("{error}")).collect();
        assert!(errors.is_empty(), "{name}: {errors:#?} in {value:#}");
    }
}

fn result_type(method: &str) -> &'static str {
    match method {
        "initialize" => "InitializeResult",
        "server/discover" => "DiscoverResult",
        "tools/list" => "ListToolsResult",
        "tools/call" => "CallToolResult",
        "resources/list" => "ListResourcesResult",
        "resources/templates/list" => "ListResourceTemplatesResult",
        "resources/read" => "ReadResourceResult",
        "prompts/list" => "ListPromptsResult",
        "prompts/get" => "GetPromptResult",
        "completion/complete" => "CompleteResult",
        "subscriptions/listen" => "SubscriptionsListenResult",
        _ => "EmptyResult",
    }
}

fn sent_type(method: &str) -> &'static str {
    match method {
        "notifications/message" => "LoggingMessageNotification",
        "notifications/progress" => "ProgressNotification",
        "notifications/cancelled" => "CancelledNotification",
        "notifications/tools/list_changed" => "ToolListChangedNotification",
        "notifications/prompts/list_changed" => "PromptListChangedNotification",
        "notifications/resources/list_changed" => "ResourceListChangedNotification",
        "notifications/resources/updated" => "ResourceUpdatedNotification",
        "notifications/subscriptions/acknowledged" => "SubscriptionsAcknowledgedNotification",
        "notifications/elicitation/complete" => "ElicitationCompleteNotification",
        "roots/list" => "ListRootsRequest",
        "sampling/createMessage" => "CreateMessageRequest",
        "elicitation/create" => "ElicitRequest",
        other => panic!("{other} has no type"),
    }
}

#[test]
#[ignore = "needs MCP_SCHEMA_DIR"]
fn the_honest_server_keeps_to_the_official_schemas() {
    let directory = std::env::var("MCP_SCHEMA_DIR").expect("MCP_SCHEMA_DIR is set");
    for revision in Revision::ALL {
        let mut schemas = Schemas::load(&directory, revision);
        check(&mut schemas, Behaviour::default(), revision);
        for variant in variants().iter().filter(|variant| variant.behaviour().revisions.has(revision)) {
            // The schema cannot express what JSON-RPC asks for, nor what this reading is about.
            if !matches!(variant.name, "trap-20-null-id") {
                check(&mut schemas, variant.behaviour(), revision);
            }
        }
    }
}

fn check(schemas: &mut Schemas, behaviour: Behaviour, revision: Revision) {
    let mut methods = BTreeMap::new();
    for line in tour_lines(&Bench::new(behaviour.clone(), revision)) {
        if let Ok(message) = serde_json::from_str::<Value>(&line)
            && let Some(id) = message["id"].as_u64()
        {
            methods.insert(id, message["method"].as_str().unwrap().to_owned());
        }
    }
    let new_names = schemas.schema["$defs"].get("JSONRPCErrorResponse").is_some();
    for line in tour(behaviour, revision).split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        let message: Value = serde_json::from_slice(line).unwrap();
        if let Some(method) = message["method"].as_str() {
            schemas.check(sent_type(method), &message);
        } else if message.get("error").is_some() {
            if message.get("id") != Some(&Value::Null) && (message.get("id").is_some() || new_names) {
                schemas.check(if new_names { "JSONRPCErrorResponse" } else { "JSONRPCError" }, &message);
            }
        } else {
            let method = &methods[&message["id"].as_u64().unwrap()];
            let result = &message["result"];
            let waits = result["resultType"] == "input_required";
            schemas.check(if waits { "InputRequiredResult" } else { result_type(method) }, result);
            if waits {
                let request = &result["inputRequests"]["answer"];
                schemas.check(sent_type(request["method"].as_str().unwrap()), request);
            }
        }
    }
}
