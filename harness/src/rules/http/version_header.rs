//! The version that a request of a legacy session names in a header line.

use super::{SESSION_ID, VERSION, at, called, has_error, has_twin, is_served, streamable};
use crate::revision::{Revision, Revisions, Side};
use crate::rules::{Level, Rule, Transports, Verdict};
use crate::session::{HttpExchange, View};

const NAMING: Revisions = Revisions::range(Revision::V2025_06_18, Revision::V2025_11_25);

pub(super) static INVALID_400: Rule = Rule {
    id: "http.version-header.invalid-400",
    level: Level::Must,
    side: Some(Side::Server),
    revisions: NAMING,
    transports: Transports::HTTP,
    clause: "2025-11-25/basic/transports#protocol-version-header",
    requires: "A request with an invalid or unsupported version header gets status 400.",
    judged: "POSTs other than initialize with a version that was never released, of which a like with the negotiated \
             version was served in the same session. A released version other than the negotiated one is not covered. \
             401, 403, 429 and 503 are taken for what they say. What an empty value leads to is a warning at most, since \
             many HTTP stacks cannot tell it from none.",
    untested: "no request named a version that does not exist",
    judge: invalid_400,
};

fn invalid_400(view: View<'_>) -> Verdict {
    let all = streamable(view);
    probes(&all)
        .filter_map(|probe| {
            let named = probe.headers.value(VERSION).filter(|named| Revision::from_wire(named).is_none())?;
            if !has_twin(view, &all, probe, VERSION, names_released) {
                return None;
            }
            let breach = |what: String| {
                let breach = at(probe, what);
                Some(Err(if named.is_empty() { breach.as_warning() } else { breach }))
            };
            match probe.status()? {
                400 => Some(Ok(())),
                401 | 403 | 429 | 503 => None,
                status @ 200..=299 => breach(format!(
                    "takes {} under the protocol version {named:?}, with status {status}",
                    called(probe)
                )),
                status => breach(format!("refuses the protocol version {named:?} by status {status}")),
            }
        })
        .collect()
}

pub(super) static ABSENT_DEFAULT: Rule = Rule {
    id: "http.version-header.absent-default",
    level: Level::Should,
    side: Some(Side::Server),
    revisions: NAMING,
    transports: Transports::HTTP,
    clause: "2025-11-25/basic/transports#protocol-version-header",
    requires: "Without the version header and without other knowledge, the server assumes 2025-03-26.",
    judged: "Requests without the header, of which a like with it was served in the same session, where the server knows \
             the version by the session id or is known to speak 2025-03-26. That they are refused is a warning.",
    untested: "no request came without the version header, or the server has no sessions and does not speak 2025-03-26",
    judge: absent_default,
};

fn absent_default(view: View<'_>) -> Verdict {
    let all = streamable(view);
    let speaks = view.facts().revisions.contains(&Revision::V2025_03_26);
    probes(&all)
        .filter(|probe| probe.headers.value(VERSION).is_none())
        .filter(|probe| speaks || probe.headers.value(SESSION_ID).is_some())
        .filter_map(|probe| {
            if !has_twin(view, &all, probe, VERSION, names_released) {
                return None;
            }
            let status = probe.status()?;
            let refused = status >= 400 || has_error(probe);
            let breach = || {
                let what = format!("refuses {} without a version header, by status {status}", called(probe));
                Err(at(probe, what).as_warning())
            };
            if refused { Some(breach()) } else { is_served(view, probe).then_some(Ok(())) }
        })
        .collect()
}

/// The POSTs that may lack the negotiated version: `initialize` negotiates it in its body.
fn probes<'h, 's>(all: &'h [&'s HttpExchange<'s>]) -> impl Iterator<Item = &'h HttpExchange<'s>> {
    all.iter().copied().filter(|http| {
        http.verb == "POST"
            && http.headers.value(VERSION).is_none_or(|named| Revision::from_wire(named).is_none())
            && http.headers.values(VERSION).count() <= 1
            && http.method().as_deref() != Some("initialize")
    })
}

fn names_released(version: Option<&str>) -> bool {
    version.is_some_and(|version| Revision::from_wire(version).is_some())
}
