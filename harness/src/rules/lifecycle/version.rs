//! What a server answers to the version that `initialize` asks for.

use crate::revision::{Era, Revision, Revisions, Side, never_released};
use crate::rules::probe::Opening;
use crate::rules::{Breach, Level, Rule, Transports, Verdict};
use crate::session::View;

const CLAUSE: &str = "2025-11-25/basic/lifecycle#version-negotiation";

pub(super) static ECHO_SUPPORTED: Rule = Rule {
    id: "lifecycle.version.echo-supported",
    level: Level::Must,
    side: Some(Side::Server),
    revisions: Revisions::LEGACY,
    transports: Transports::BOTH,
    clause: CLAUSE,
    requires: "A server that supports the version asked for answers with that same version.",
    judged: "A version counts as supported if a control session saw the subject speak it. A refusal of such a version \
             is judged by lifecycle.init.result-fields.",
    untested: "no `initialize` asked for a version that the subject was seen to speak",
    judge: echo_supported,
};

fn echo_supported(view: View<'_>) -> Verdict {
    let Some(opening) = Opening::of(view) else { return Verdict::untested() };
    let (Some(asked), Some(offered), Some(answer)) =
        (opening.legacy_revision(), opening.offered(), opening.exchange.answer())
    else {
        return Verdict::untested();
    };
    let check = if offered == opening.asked {
        Some(Ok(()))
    } else {
        view.facts().revisions.contains(&asked).then(|| {
            let what = format!("answers {offered} to a request for {asked}, which it spoke in another session");
            Err(Breach::at(answer, what).after(opening.exchange.request()))
        })
    };
    check.into_iter().collect()
}

pub(super) static COUNTER_OFFER: Rule = Rule {
    id: "lifecycle.version.counter-offer",
    level: Level::Must,
    side: Some(Side::Server),
    revisions: Revisions::LEGACY,
    transports: Transports::BOTH,
    clause: CLAUSE,
    requires: "A server that does not support the version asked for answers with another version that it supports.",
    judged: "Only versions that nobody can support, and released ones that the subject was not seen to speak, count as \
             unsupported. An error is a warning: the page has one as its example. So is any modern version in an \
             answer, since modern revisions have no `initialize`. Draft versions are never judged.",
    untested: "no `initialize` asked for a version that the subject cannot support",
    judge: counter_offer,
};

fn counter_offer(view: View<'_>) -> Verdict {
    let Some(opening) = Opening::of(view) else { return Verdict::untested() };
    let Some(answer) = opening.exchange.answer() else { return Verdict::untested() };
    let breach = |what: String| Breach::at(answer, what).after(opening.exchange.request());
    let asked_legacy = opening.legacy_revision();
    let spoken = &view.facts().revisions;
    let unsupported = never_released(&opening.asked)
        || asked_legacy.is_some_and(|asked| !spoken.is_empty() && !spoken.contains(&asked));
    let asked_modern = opening.revision().is_some_and(|revision| revision.era() == Era::Modern);
    let Some(offered) = opening.offered() else {
        let refused = answer.is_error() && unsupported;
        let warning = breach("refuses an unsupported version in place of a counter-offer".to_owned()).as_warning();
        return refused.then_some(Err(warning)).into_iter().collect();
    };
    let echoed = offered == opening.asked;
    let check = if echoed && never_released(&opening.asked) {
        Some(Err(breach(format!("claims to speak {:?}, which was never released", opening.asked))))
    } else if echoed && asked_modern {
        Some(Err(breach(format!("agrees by initialize on {}, which has no initialize", opening.asked)).as_warning()))
    } else if echoed {
        None
    } else if never_released(&offered) {
        Some(Err(breach(format!("offers {offered:?}, which was never released"))))
    } else if Revision::from_wire(&offered).is_some_and(|revision| revision.era() == Era::Modern) {
        Some(Err(breach(format!("offers {offered}, which has no initialize")).as_warning()))
    } else {
        Some(Ok(())).filter(|_| unsupported || asked_modern || spoken.is_empty())
    };
    check.into_iter().collect()
}

pub(super) static COUNTER_OFFER_LATEST: Rule = Rule {
    id: "lifecycle.version.counter-offer-latest",
    level: Level::Should,
    side: Some(Side::Server),
    revisions: Revisions::LEGACY,
    transports: Transports::BOTH,
    clause: CLAUSE,
    requires: "The version that a server offers in place of an unsupported one is the newest that it supports.",
    judged: "The offer is compared with the newest legacy revision that control sessions saw the subject speak; an \
             offer of one that they did not see is judged by lifecycle.version.counter-offer-usable.",
    untested: "the subject never made a counter-offer, or no control session asked what it speaks",
    judge: counter_offer_latest,
};

fn counter_offer_latest(view: View<'_>) -> Verdict {
    let spoken = &view.facts().revisions;
    let Some(opening) = Opening::of(view).filter(|opening| !is_spoken(view, opening)) else {
        return Verdict::untested();
    };
    let newest = spoken.iter().copied().filter(|revision| revision.era() == Era::Legacy).max();
    let (Some(offer), Some(newest), Some(answer)) = (opening.counter_offer(), newest, opening.exchange.answer()) else {
        return Verdict::untested();
    };
    let check =
        spoken.contains(&offer).then(|| match offer == newest {
            true => Ok(()),
            false => Err(Breach::at(answer, format!("offers {offer} although it speaks {newest}"))
                .after(opening.exchange.request())),
        });
    check.into_iter().collect()
}

pub(super) static COUNTER_OFFER_USABLE: Rule = Rule {
    id: "lifecycle.version.counter-offer-usable",
    level: Level::Must,
    side: Some(Side::Server),
    revisions: Revisions::LEGACY,
    transports: Transports::BOTH,
    clause: CLAUSE,
    requires: "The version that a server offers in place of an unsupported one is one that it really supports.",
    judged: "The offer is looked up among the revisions that control sessions saw the subject speak. Only the four \
             legacy revisions are judged.",
    untested: "the subject never made a counter-offer, or no control session asked what it speaks",
    judge: counter_offer_usable,
};

fn counter_offer_usable(view: View<'_>) -> Verdict {
    let spoken = &view.facts().revisions;
    // Only the oldest revision was asked for over HTTP+SSE.
    let known = !spoken.is_empty() && !view.is_http_sse();
    let Some(opening) = Opening::of(view).filter(|opening| !is_spoken(view, opening) && known) else {
        return Verdict::untested();
    };
    let (Some(offer), Some(answer)) = (opening.counter_offer(), opening.exchange.answer()) else {
        return Verdict::untested();
    };
    let check = match spoken.contains(&offer) {
        true => Ok(()),
        false => {
            let what = format!("offers {offer}, which it did not speak when asked for it");
            Err(Breach::at(answer, what).after(opening.exchange.request()))
        }
    };
    [check].into_iter().collect()
}

/// Whether the version asked for is a legacy one that the subject was seen to speak; then nothing else is an offer.
fn is_spoken(view: View<'_>, opening: &Opening<'_>) -> bool {
    opening.legacy_revision().is_some_and(|asked| view.facts().revisions.contains(&asked))
}
