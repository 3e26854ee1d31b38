//! Faults of conduct: what is served, refused or executed against the rules.

use serde_json::{Value, json};

use crate::reference::asking::Question;
use crate::reference::declared::Declared;
use crate::reference::fault::Fault;
use crate::reference::legacy::Call;
use crate::reference::message::{Failure, Object, object};
use crate::reference::server::{Answer, Server};
use crate::reference::slow::Ticket;
use crate::reference::tools::Tool;
use crate::reference::{Outbox, fixture};
use crate::revision::{Revision, code, meta};

/// Metadata that a careless server takes for all there is.
const KNOWN_META: [&str; 5] =
    ["progressToken", meta::PROTOCOL_VERSION, meta::CLIENT_CAPABILITIES, meta::CLIENT_INFO, meta::LOG_LEVEL];

impl Server {
    /// A wrong answer to a request of a legacy session.
    pub(in crate::reference) fn misserves_legacy(&mut self, call: &Call<'_>, out: &mut Outbox) -> Option<Answer> {
        if self.faulty(Fault::NeedsMetaInSession) {
            return Some(Err(Failure::new(code::INVALID_PARAMS, "the request metadata is missing")));
        }
        if call.method == "prompts/list" && self.faulty(Fault::RefusesDeclaredListsLegacy) {
            return Some(Err(Failure::new(code::METHOD_NOT_FOUND, "there is no such method")));
        }
        let task = call.method == "tools/call" && call.params.get("task").is_some_and(Value::is_object);
        if task && call.revision == Revision::V2025_11_25 && self.faulty(Fault::UndeclaredTask) {
            let moment = "2025-11-25T00:00:00Z";
            return Some(Ok(Some(object(json!({"task": {
                "taskId": "task-1", "status": "working", "createdAt": moment, "lastUpdatedAt": moment, "ttl": 60000,
            }})))));
        }
        if task && call.revision == Revision::V2025_11_25 && self.faulty(Fault::RefusesTaskMember) {
            return Some(Err(Failure::new(code::INVALID_PARAMS, "there are no tasks here")));
        }
        self.misserves(call, out)
    }

    /// A wrong answer to a modern request whose metadata is in order.
    pub(in crate::reference) fn misserves_modern(&mut self, call: &mut Call<'_>, out: &mut Outbox) -> Option<Answer> {
        let refusal = |code, why| Some(Err(Failure::new(code, why)));
        let metadata = call.params.get("_meta");
        let capabilities = metadata.and_then(|metadata| metadata.get(meta::CLIENT_CAPABILITIES));
        if self.refuses_capabilities(capabilities) {
            return refusal(code::INVALID_PARAMS, "an unknown capability");
        }
        let discovers = call.method == "server/discover";
        if self.session.is_none() && !discovers && self.faulty(Fault::ModernNeedsInitialize) {
            return refusal(code::INVALID_REQUEST, "initialize comes first");
        }
        if self.grudge.walks == 0 && call.method == "tools/call" && self.faulty(Fault::KnowsOnlyWhatItListed) {
            return refusal(code::INVALID_PARAMS, "unknown tool");
        }
        if !self.grudge.discovered && !discovers && self.faulty(Fault::NeedsDiscovery) {
            return refusal(code::INVALID_REQUEST, "server/discover comes first");
        }
        let lacks = match call.method {
            "server/discover" => self.faulty(Fault::LacksDiscover),
            "prompts/list" => self.faulty(Fault::RefusesDeclaredLists),
            _ => false,
        };
        if lacks {
            return refusal(code::METHOD_NOT_FOUND, "there is no such method");
        }
        let removed = matches!(call.method, "ping" | "logging/setLevel" | "resources/subscribe");
        if removed && self.faulty(Fault::RemovedMethods) {
            return Some(Ok(Some(Object::new())));
        }
        let answer = self.misserves(call, out);
        // A list sees the capabilities of earlier requests; its own come on top afterwards.
        if self.faulty(Fault::ListsDependOnCapabilities) && call.method == "tools/list" && answer.is_none() {
            let answer = self.serve(call, out);
            self.remember(call.client);
            return Some(answer);
        }
        self.remember(call.client);
        if self.faulty(Fault::InheritsCapabilities) {
            call.client = self.grudge.client.unwrap_or_default();
        }
        answer
    }

    fn remember(&mut self, client: Declared) {
        let known = self.grudge.client.unwrap_or_default();
        self.grudge.client = Some(Declared {
            roots: known.roots || client.roots,
            sampling: known.sampling || client.sampling,
            sampling_tools: known.sampling_tools || client.sampling_tools,
            form: known.form || client.form,
            url: known.url || client.url,
        });
    }

    /// A wrong answer in either era.
    fn misserves(&mut self, call: &Call<'_>, out: &mut Outbox) -> Option<Answer> {
        let metadata = call.params.get("_meta").and_then(Value::as_object);
        let odd = |(key, _): &(&String, &Value)| !KNOWN_META.contains(&key.as_str());
        if self.faulty(Fault::RejectsOddMeta) && metadata.is_some_and(|metadata| metadata.iter().any(|pair| odd(&pair)))
        {
            return Some(Err(Failure::new(code::INVALID_PARAMS, "unknown metadata")));
        }
        let null = self.faulty(Fault::DiesOnNullMeta)
            && metadata.is_some_and(|metadata| metadata.values().any(Value::is_null));
        let odd_dialect = self.faulty(Fault::DiesOnUnknownDialect)
            && call.params.get("name").is_some_and(|name| name == fixture::ODD_DIALECT);
        let failing =
            self.faulty(Fault::DiesWithItsTool) && call.params.get("name").is_some_and(|name| name == fixture::FAIL);
        if null || odd_dialect || failing {
            self.exit(101, out);
            return Some(Ok(None));
        }
        None
    }

    /// Whether a faulty server turns the client away for a capability that it does not know.
    pub(in crate::reference) fn refuses_capabilities(&self, capabilities: Option<&Value>) -> bool {
        const KNOWN: [&str; 6] = ["experimental", "roots", "sampling", "elicitation", "tasks", "extensions"];
        let declared = capabilities.and_then(Value::as_object);
        self.faulty(Fault::RefusesUnknownCapabilities)
            && declared.is_some_and(|declared| declared.keys().any(|key| !KNOWN.contains(&key.as_str())))
    }

    /// A wrong result of a tool call whose arguments are in order.
    pub(in crate::reference) fn misruns(
        &mut self,
        tool: &'static str,
        call: &Call<'_>,
        out: &mut Outbox,
    ) -> Option<Answer> {
        if tool == fixture::FAIL && self.faulty(Fault::FailsAsProtocolError) {
            return Some(Err(Failure::new(code::INTERNAL_ERROR, "the tool failed")));
        }
        let question = match tool {
            fixture::ASK_ROOTS => Question::Roots,
            fixture::ASK_MODEL => Question::Model { tools: false },
            fixture::ASK_USER => Question::User,
            _ => return None,
        };
        if call.modern() && self.faulty(Fault::AsksModernClients) {
            self.put(question, call.revision, call.client, Some(Ticket::of(call, tool)), None, out);
            return Some(Ok(None));
        }
        None
    }

    /// A wrong verdict on arguments.
    pub(in crate::reference) fn mischecks(&self, tool: &Tool, arguments: &Value) -> Option<Result<(), String>> {
        match tool.name {
            fixture::VALIDATE if self.faulty(Fault::ValidatesAsDraft7) => {
                let mut arguments = arguments.clone();
                if let Some(point) = arguments.get_mut("point").filter(|point| point.is_array()) {
                    *point = json!([]);
                }
                let fits = tool.validator.as_ref().is_none_or(|validator| validator.is_valid(&arguments));
                Some(if fits { Ok(()) } else { Err("the arguments do not fit".into()) })
            }
            fixture::VALIDATE if self.faulty(Fault::IgnoresReferences) && arguments.get("tree").is_some() => {
                Some(Err("#/$defs/tree cannot be resolved".into()))
            }
            fixture::TUPLE if self.faulty(Fault::IgnoresDialect) => {
                let pair = arguments.get("pair").is_some_and(Value::is_array);
                Some(if pair { Ok(()) } else { Err("pair is no array".into()) })
            }
            _ => None,
        }
    }
}
