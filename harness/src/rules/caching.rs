//! Hints on how long results of 2026-07-28 may be kept, and by whom.

use super::pagination::walks;
use super::result::results;
use super::{Breach, Check, Level, Rule, Transports, Verdict};
use crate::revision::{Revisions, Side};
use crate::session::{Exchange, Message, View};
use crate::wire::Value;

mod client;

/// The rules of this area.
pub static RULES: &[&Rule] = &[
    &HINTS_PRESENT,
    &TTL_VALID,
    &SCOPE_VALID,
    &SCOPE_SAME_ON_PAGES,
    &INPUT_REQUIRED_WITHOUT_HINTS,
    &client::KEY_RULE,
    &client::NO_CACHE_OF_RETRIES,
    &client::STALE_AFTER_TTL,
    &client::NO_TTL_POLLING,
    &client::RESTARTS_ON_BAD_CURSOR,
];

/// The methods whose complete results may be kept.
static CACHEABLE: &[&str] =
    &["server/discover", "tools/list", "prompts/list", "resources/list", "resources/templates/list", "resources/read"];

const UNTESTED: &str = "no list, no resource and no server/discover got a complete result";

static HINTS_PRESENT: Rule = Rule {
    id: "caching.hints-present",
    level: Level::Must,
    side: Some(Side::Server),
    revisions: Revisions::MODERN,
    transports: Transports::BOTH,
    clause: "2026-07-28/server/utilities/caching#cacheable-results",
    requires: "Complete results of server/discover, the lists and resources/read carry ttlMs and cacheScope.",
    judged: "Every page of a list by itself, and only results that say that they are complete. Results of other methods \
             need no hints and may have some.",
    untested: UNTESTED,
    judge: hints_present,
};

fn hints_present(view: View<'_>) -> Verdict {
    complete(view)
        .map(|(exchange, answer, result)| {
            let missing: Vec<&str> =
                ["ttlMs", "cacheScope"].into_iter().filter(|hint| result.member(hint).is_none()).collect();
            if missing.is_empty() {
                return Ok(());
            }
            let what = format!("answers {} without {}", exchange.method(), missing.join(" and "));
            Err(Breach::at(answer, what).after(exchange.request()))
        })
        .collect()
}

static TTL_VALID: Rule = Rule {
    id: "caching.ttl-valid",
    level: Level::Must,
    side: Some(Side::Server),
    revisions: Revisions::MODERN,
    transports: Transports::BOTH,
    clause: "2026-07-28/server/utilities/caching#time-to-live-ttl-field",
    requires: "ttlMs is a whole number of milliseconds that is not negative.",
    judged: "1e3 and 1000.0 are the whole number 1000, and no number is too large. A ttlMs that is missing belongs to \
             caching.hints-present.",
    untested: "no result that may be kept had a ttlMs",
    judge: ttl_valid,
};

fn ttl_valid(view: View<'_>) -> Verdict {
    hint(view, "ttlMs", |ttl| {
        if !ttl.is_number() {
            Some("gives a ttlMs that is no number")
        } else if ttl.as_f64().is_some_and(|number| number < 0.0) {
            Some("gives a negative ttlMs")
        } else {
            (!ttl.is_integral()).then_some("gives a ttlMs that is no whole number")
        }
    })
}

static SCOPE_VALID: Rule = Rule {
    id: "caching.scope-valid",
    level: Level::Must,
    side: Some(Side::Server),
    revisions: Revisions::MODERN,
    transports: Transports::BOTH,
    clause: "schema/2026-07-28/schema.ts#CacheableResult",
    requires: "cacheScope is \"public\" or \"private\".",
    judged: "A cacheScope that is missing belongs to caching.hints-present.",
    untested: "no result that may be kept had a cacheScope",
    judge: scope_valid,
};

fn scope_valid(view: View<'_>) -> Verdict {
    hint(view, "cacheScope", |scope| {
        let known = scope.is("public") || scope.is("private");
        (!known).then_some("gives a cacheScope that is neither \"public\" nor \"private\"")
    })
}

static SCOPE_SAME_ON_PAGES: Rule = Rule {
    id: "caching.scope-same-on-pages",
    level: Level::Must,
    side: Some(Side::Server),
    revisions: Revisions::MODERN,
    transports: Transports::BOTH,
    clause: "2026-07-28/server/utilities/caching#interaction-with-pagination",
    requires: "All pages of one list have the same cacheScope.",
    judged: "Pages that one walk reached by following the cursors; another walk may be told another scope. ttlMs may differ \
             from page to page.",
    untested: "no list came on two pages that had a cacheScope",
    judge: scope_same_on_pages,
};

fn scope_same_on_pages(view: View<'_>) -> Verdict {
    let mut checks: Vec<Check> = Vec::new();
    for walk in walks::all(view) {
        let scopes: Vec<(&Message<'_>, Value<'_>)> = walk
            .pages
            .iter()
            .filter_map(|page| Some((page.answer, page.answer.result()?.member("cacheScope")?)))
            .filter(|(_, scope)| scope.is_string())
            .collect();
        checks.extend(scopes.windows(2).filter_map(|pair| {
            let [(earlier, before), (page, scope)] = pair else { return None };
            let what = format!("gives one page of {} another cacheScope than the page before", walk.method);
            Some(if before.same(*scope) { Ok(()) } else { Err(Breach::at(page, what).after(earlier)) })
        }));
    }
    checks.into_iter().collect()
}

static INPUT_REQUIRED_WITHOUT_HINTS: Rule = Rule {
    id: "caching.input-required-without-hints",
    level: Level::Should,
    side: Some(Side::Server),
    revisions: Revisions::MODERN,
    transports: Transports::BOTH,
    clause: "2026-07-28/server/utilities/caching#cacheable-results",
    requires: "Results that ask for input carry no caching hints.",
    judged: "The page states it as a fact without a keyword, so a hint is a warning.",
    untested: "nothing was answered with a demand for input; name a tool that asks the user in the subject file",
    judge: input_required_without_hints,
};

fn input_required_without_hints(view: View<'_>) -> Verdict {
    results(view)
        .filter(|(.., result)| result.member("resultType").is_some_and(|kind| kind.is("input_required")))
        .map(|(exchange, answer, result)| {
            let Some(hint) = ["ttlMs", "cacheScope"].into_iter().find(|hint| result.member(hint).is_some()) else {
                return Ok(());
            };
            let what = format!("asks for input in a result with {hint}");
            Err(Breach::at(answer, what).after(exchange.request()).as_warning())
        })
        .collect()
}

/// The results that may be kept.
fn complete(view: View<'_>) -> impl Iterator<Item = (Exchange<'_>, &Message<'_>, Value<'_>)> {
    results(view).filter(|(exchange, _, result)| {
        CACHEABLE.contains(&exchange.method()) && result.member("resultType").is_some_and(|kind| kind.is("complete"))
    })
}

/// One hint of every result that may be kept and has it.
fn hint(view: View<'_>, key: &str, fault: impl Fn(Value<'_>) -> Option<&'static str>) -> Verdict {
    complete(view)
        .filter_map(|(exchange, answer, result)| {
            Some(match fault(result.member(key)?) {
                None => Ok(()),
                Some(what) => Err(Breach::at(answer, what).after(exchange.request())),
            })
        })
        .collect()
}
