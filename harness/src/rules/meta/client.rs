//! What a client says of itself with every request of 2026-07-28.

use crate::revision::{Revisions, Side, meta};
use crate::rules::client;
use crate::rules::probe::is_implementation;
use crate::rules::{Breach, Check, Level, Rule, Transports, Verdict};
use crate::session::{Exchange, View};
use crate::wire::Value;

const fn rule(id: &'static str, level: Level) -> Rule {
    Rule {
        id,
        level,
        side: Some(Side::Client),
        revisions: Revisions::MODERN,
        transports: Transports::BOTH,
        clause: "2026-07-28/basic/index#_meta",
        requires: "",
        judged: "",
        untested: "the client asked nothing in the way of 2026-07-28",
        judge: |_| Verdict::untested(),
    }
}

const JUDGED: &str = "Every request of a client that shows that it speaks this revision, up to an `initialize`, and behind that \
    only those with a modern version. Methods that the revision does not have are left to other rules.";

/// The value of a key in the `_meta` of each request that has to have it.
fn each(
    view: View<'_>,
    key: &'static str,
    judge: impl Fn(&str, Option<Value<'_>>) -> Option<(String, bool)>,
) -> Verdict {
    let one = |exchange: Exchange<'_>| -> Check {
        let value = exchange.params().and_then(|params| params.path(&["_meta", key]));
        match judge(exchange.method(), value) {
            None => Ok(()),
            Some((what, warning)) => {
                let breach = Breach::at(exchange.request(), what);
                Err(if warning { breach.as_warning() } else { breach })
            }
        }
    };
    client::modern(view).map(one).collect()
}

pub(super) static PROTOCOL_VERSION: Rule = Rule {
    requires: "Every request names the version of the protocol that it uses.",
    judged: JUDGED,
    judge: protocol_version,
    ..rule("meta.request.protocol-version", Level::Must)
};

fn protocol_version(view: View<'_>) -> Verdict {
    each(view, meta::PROTOCOL_VERSION, |method, version| match version {
        Some(version) if version.is_string() && !version.is("") => None,
        Some(_) => Some((format!("asks for {method} with a version that is no text, or an empty one"), false)),
        None => Some((format!("asks for {method} without the version of the protocol"), false)),
    })
}

pub(super) static CLIENT_CAPABILITIES: Rule = Rule {
    requires: "Every request declares the capabilities of the client, and be it none.",
    judged: JUDGED,
    judge: client_capabilities,
    ..rule("meta.request.client-capabilities", Level::Must)
};

fn client_capabilities(view: View<'_>) -> Verdict {
    each(view, meta::CLIENT_CAPABILITIES, |method, declared| match declared {
        Some(declared) if declared.is_object() => None,
        Some(_) => Some((format!("asks for {method} with capabilities that are no object"), false)),
        None => Some((format!("asks for {method} without its capabilities"), false)),
    })
}

pub(super) static CLIENT_INFO: Rule = Rule {
    requires: "Requests say which software the client is.",
    judged: "A client may be told to be silent about itself, so that it does not say is a warning. What it says has a name and \
             a version, both strings.",
    judge: client_info,
    ..rule("meta.request.client-info", Level::Should)
};

fn client_info(view: View<'_>) -> Verdict {
    each(view, meta::CLIENT_INFO, |method, info| match info {
        Some(info) if is_implementation(info) => None,
        Some(_) => Some((format!("asks for {method} as a client without a name or a version"), false)),
        None => Some((format!("asks for {method} and does not say which client it is"), true)),
    })
}
