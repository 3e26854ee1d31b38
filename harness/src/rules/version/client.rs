//! What a client makes of the refusal of its version.

use crate::revision::{Era, Revision, Revisions, Side, code, never_released};
use crate::rules::client;
use crate::rules::{Breach, Check, Level, Rule, Transports, Verdict};
use crate::session::{Exchange, Message, View};
use crate::transcript::Transport;
use crate::wire::Value;

const fn rule(id: &'static str) -> Rule {
    Rule {
        id,
        level: Level::Should,
        side: Some(Side::Client),
        revisions: Revisions::MODERN,
        transports: Transports::BOTH,
        clause: super::CLAUSE,
        requires: "",
        judged: "",
        untested: "no modern request of the client was refused for its version",
        judge: |_| Verdict::untested(),
    }
}

/// A modern request that was refused with -32022, and the versions that the server named.
struct Refusal<'s> {
    exchange: Exchange<'s>,
    answer: &'s Message<'s>,
    supported: Value<'s>,
}

impl Refusal<'_> {
    fn names(&self, version: &str) -> bool {
        self.supported.items().any(|one| one.is(version))
    }

    /// Whether nobody can speak any of the versions.
    fn is_hopeless(&self) -> bool {
        self.supported.items().filter_map(Value::as_str).all(|version| never_released(&version))
    }
}

fn refusals<'s>(view: View<'s>) -> impl Iterator<Item = Refusal<'s>> {
    client::modern(view).filter_map(|exchange| {
        let code = exchange.error_code().filter(|code| *code == code::UNSUPPORTED_PROTOCOL_VERSION);
        let supported = exchange.error().filter(|_| code.is_some())?.path(&["data", "supported"])?;
        let sound = supported.is_array() && !supported.is_empty() && supported.items().all(Value::is_string);
        Some(Refusal { exchange, answer: exchange.answer()?, supported }).filter(|_| sound)
    })
}

pub(super) static RETRIES_SUPPORTED: Rule = Rule {
    requires: "A client whose version is refused asks again in one of those that the server names, or tells its user.",
    judged: "Broken by asking in a version of the list that nobody can speak, by asking in another modern version than those \
             of the list, where the client speaks one of them, and by asking more than ten times without a word to \
             the user. Silence towards the user is not judged, for nobody sees all that a client shows.",
    judge: retries_supported,
    ..rule("version.client-retries-supported")
};

fn retries_supported(view: View<'_>) -> Verdict {
    const MANY: usize = 10;
    let refusals: Vec<Refusal<'_>> = refusals(view).collect();
    let mut checks: Vec<Check> = Vec::new();
    for (position, refusal) in refusals.iter().enumerate() {
        let asked = refusal.exchange.request();
        let told = |until: usize| {
            let user = view.user();
            let came = user.wishes.iter().filter_map(|wish| wish.came.as_ref()).chain(&user.surfaces);
            let wished = client::wished_between(view, asked.entry, until);
            wished || came.into_iter().any(|said| (asked.entry..until).contains(&said.entry))
        };
        if let Some(last) = refusals.get(position + MANY)
            && !told(last.answer.entry)
            && !view.user().wishes.is_empty()
        {
            let what = "asks again and again although its version is refused";
            checks.push(Err(Breach::at(last.exchange.request(), what).after(refusal.answer)));
            break;
        }
        let next = client::modern(view)
            .find(|exchange| exchange.request().entry > refusal.answer.entry && !exchange.is("server/discover"));
        let version = next.and_then(|next| Some((next, next.request().modern_version()?.as_str()?)));
        checks.push(match version {
            Some((next, version)) if refusal.names(&version) && never_released(&version) => {
                let what = format!("asks again in version {version}, which it cannot speak");
                Err(Breach::at(next.request(), what).after(refusal.answer))
            }
            Some((next, version)) if !refusal.names(&version) && !told(next.request().entry) && can_speak(refusal) => {
                let what = format!("asks again in version {version}, which the server has just refused");
                Err(Breach::at(next.request(), what).after(refusal.answer))
            }
            _ => Ok(()),
        });
    }
    checks.into_iter().collect()
}

/// Whether the list names a modern version that every modern client speaks.
fn can_speak(refusal: &Refusal<'_>) -> bool {
    refusal.names(Revision::V2026_07_28.as_str())
}

pub(super) static NO_FALLBACK: Rule = Rule {
    clause: "2026-07-28/basic/transports/stdio#backward-compatibility",
    requires: "An error that only modern servers give does not send a client to the handshake of the older revisions.",
    judged: "-32022 with a modern version that somebody may speak in its list, -32021 with the capabilities that are missing, \
             and over HTTP -32020. A list with older versions alone says both that they are to be used and that the \
             handshake is not, so it is not judged; one that nobody can speak makes a fall-back a warning.",
    untested: "the client asked nothing in the modern way that was refused with a modern error",
    judge: no_fallback,
    ..rule("version.client-no-fallback-after-modern-error")
};

fn no_fallback(view: View<'_>) -> Verdict {
    let legacy = client::legacy_from(view);
    let settled = client::settled_modern(view).unwrap_or(usize::MAX);
    let recognised = |exchange: &Exchange<'_>| -> Option<bool> {
        let error = exchange.error()?;
        match exchange.error_code()? {
            code::UNSUPPORTED_PROTOCOL_VERSION => {
                let refusal = refusals(view).find(|one| one.exchange.request().entry == exchange.request().entry)?;
                let modern = |version: &str| Revision::from_wire(version).is_some_and(|one| one.era() == Era::Modern);
                let named = refusal.supported.items().filter_map(Value::as_str).any(|version| modern(&version));
                (named || refusal.is_hopeless()).then_some(!named)
            }
            code::MISSING_CLIENT_CAPABILITY => {
                error.path(&["data", "requiredCapabilities"]).filter(|required| required.is_object()).map(|_| false)
            }
            code::HEADER_MISMATCH if view.transport() == Transport::Http => Some(false),
            _ => None,
        }
    };
    let mut judged = client::modern(view).filter(|exchange| {
        let answer = exchange.answer();
        answer.is_some_and(|answer| answer.entry < settled && answer.entry < legacy)
    });
    let first = judged.find_map(|exchange| Some((exchange, recognised(&exchange)?)));
    let Some((exchange, hopeless)) = first else { return Verdict::untested() };
    let Some(answer) = exchange.answer() else { return Verdict::untested() };
    let opened = client::own(view).find(|message| message.entry == legacy);
    let check = opened.map_or(Ok(()), |opened| {
        let what = "falls back to initialize although only a modern server refuses in that way";
        let breach = Breach::at(opened, what).after(answer);
        Err(if hopeless { breach.as_warning() } else { breach })
    });
    [check].into_iter().collect()
}
