//! Extensions: their names, and doing without them.

use super::client;
use super::meta::keys;
use super::probe;
use super::{Breach, Level, Rule, Transports, Verdict};
use crate::revision::{Revisions, Side, knows, meta};
use crate::session::{Exchange, Message, Shape, Speaker, View};
use crate::wire::Value;

/// The rules of this area.
pub static RULES: &[&Rule] = &[&IDENTIFIER_FORMAT, &FALLBACK_TO_CORE];

const CLAUSE: &str = "2026-07-28/basic/versioning#extension-negotiation";

static IDENTIFIER_FORMAT: Rule = Rule {
    id: "extension.identifier-format",
    level: Level::Must,
    side: None,
    revisions: Revisions::MODERN,
    transports: Transports::BOTH,
    clause: CLAUSE,
    requires: "The identifier of an extension has the form of a `_meta` key with a prefix, and stands for an object.",
    judged: "Every member of the extensions that the subject declares.",
    untested: "the subject declares no extensions",
    judge: identifier_format,
};

fn identifier_format(view: View<'_>) -> Verdict {
    view.exchanges_by(view.client())
        .filter(|exchange| !exchange.request().shares_id)
        .filter_map(|exchange| match view.subject_side() {
            Side::Server if exchange.is("server/discover") => {
                Some((exchange.answer()?, exchange.result()?.path(&["capabilities", "extensions"])?))
            }
            Side::Client => Some((exchange.request(), extensions_of(exchange.request())?)),
            Side::Server => None,
        })
        .flat_map(|(message, extensions)| extensions.members().map(move |(key, value)| (message, key, value)))
        .map(|(message, key, value)| {
            let name: String = key.chars().take(60).collect();
            if !keys::is_well_formed_with_prefix(&key) {
                Err(Breach::at(message, format!("declares an extension with the malformed identifier {name:?}")))
            } else if !value.is_object() {
                Err(Breach::at(message, format!("declares the extension {name:?} without an object of settings")))
            } else {
                Ok(())
            }
        })
        .collect()
}

static FALLBACK_TO_CORE: Rule = Rule {
    id: "extension.fallback-to-core",
    level: Level::Must,
    side: None,
    revisions: Revisions::MODERN,
    transports: Transports::BOTH,
    clause: CLAUSE,
    requires: "Without mutual support of an extension, the side that has it falls back to the core or refuses.",
    judged: "A server that declares extensions to a client without any of them: its results have a resultType of the \
             core, its notifications are those of the core, and any error is fine. Extension keys in _meta and \
             capabilities are no breach, and silence belongs to jsonrpc.response.exactly-one. A client that declares extensions asks only for \
             methods of the core once it saw in server/discover that the server has none of them.",
    untested: "the subject declares no extensions, or the client shared one",
    judge: fallback_to_core,
};

fn fallback_to_core(view: View<'_>) -> Verdict {
    if view.subject_side() == Side::Client {
        return client_falls_back(view);
    }
    let offered = view.server_capabilities().and_then(|capabilities| capabilities.member("extensions"));
    let Some(offered) = offered.filter(|offered| offered.is_object() && !offered.is_empty()) else {
        return Verdict::untested();
    };
    let shares = |request: &Message<'_>| {
        extensions_of(request).is_some_and(|wanted| wanted.members().any(|(key, _)| offered.member(&key).is_some()))
    };
    let nobody_shares = !probe::stateless(view).any(|exchange| shares(exchange.request()));
    view.messages_by(Speaker::Subject)
        .filter_map(|message| match message.shape {
            Shape::Notification if nobody_shares => {
                let method = message.method()?;
                Some(match knows(view.revision(), method) {
                    true => Ok(()),
                    false => {
                        let name: String = method.chars().take(60).collect();
                        Err(Breach::at(message, format!("sends {name:?} to a client without the extension")))
                    }
                })
            }
            Shape::Response => {
                let request = view.exchange_of(message)?.request();
                if shares(request) || probe::complete(request).is_none() {
                    return None;
                }
                let kind = message.result()?.member("resultType").and_then(Value::as_str);
                Some(match kind.as_deref() {
                    None | Some("complete" | "input_required") => Ok(()),
                    Some(_) => {
                        Err(Breach::at(message, "gives a result of an extension to a client without it").after(request))
                    }
                })
            }
            _ => None,
        })
        .collect()
}

/// What a client asks for that has learned what extensions the server has.
fn client_falls_back(view: View<'_>) -> Verdict {
    let requests: Vec<Exchange<'_>> = client::modern(view).collect();
    let told = |exchange: &&Exchange<'_>| exchange.is("server/discover") && exchange.result().is_some();
    let Some(discovered) = requests.iter().find(told) else { return Verdict::untested() };
    let (Some(answer), Some(result)) = (discovered.answer(), discovered.result()) else { return Verdict::untested() };
    let offered = result.path(&["capabilities", "extensions"]);
    let shared = |key: &str| offered.is_some_and(|offered| offered.member(key).is_some());
    requests
        .iter()
        .filter(|exchange| exchange.request().entry > answer.entry)
        .filter_map(|exchange| {
            let declared = extensions_of(exchange.request()).filter(|declared| !declared.is_empty())?;
            if declared.members().any(|(key, _)| shared(&key)) {
                return None;
            }
            let name: String = exchange.method().chars().take(60).collect();
            let what = format!("asks a server without the extension for {name:?}");
            let known = knows(view.revision(), exchange.method());
            Some(if known { Ok(()) } else { Err(Breach::at(exchange.request(), what).after(answer)) })
        })
        .collect()
}

fn extensions_of<'s>(request: &Message<'s>) -> Option<Value<'s>> {
    request.params()?.path(&["_meta", meta::CLIENT_CAPABILITIES, "extensions"])
}
