//! How a client keeps results: for what, and for how long.

use std::collections::HashSet;

use crate::revision::{LISTS, Revisions, Side};
use crate::rules::client::{self, fulfilled, listed_by};
use crate::rules::{Breach, Check, Level, Rule, Transports, Verdict, probe};
use crate::session::user::Wish;
use crate::session::{Exchange, Message, Speaker, View};
use crate::wire::Value;

const KEY: &str = "2026-07-28/server/utilities/caching#cache-key";
const FRESHNESS: &str = "2026-07-28/server/utilities/caching#freshness-calculation";

const fn rule(id: &'static str, level: Level) -> Rule {
    Rule {
        id,
        level,
        side: Some(Side::Client),
        revisions: Revisions::MODERN,
        transports: Transports::BOTH,
        clause: FRESHNESS,
        requires: "",
        judged: "",
        untested: "",
        judge: |_| Verdict::untested(),
    }
}

/// The URI that a wish to read is about.
fn uri_of(wish: &Wish) -> Option<&str> {
    wish.wish["uri"].as_str().filter(|_| wish.kind() == "read")
}

fn reads<'s>(view: View<'s>, uri: &str) -> impl Iterator<Item = Exchange<'s>> {
    let of = move |exchange: &Exchange<'_>, uri: &str| exchange.param("uri").is_some_and(|own| own.is(uri));
    let uri = uri.to_owned();
    client::modern(view).filter(move |exchange| exchange.is("resources/read") && of(exchange, &uri))
}

/// The texts in a result of `resources/read` that are long enough to be told from others.
fn texts(result: Value<'_>) -> Vec<String> {
    let contents = result.member("contents").into_iter().flat_map(Value::items);
    let texts = contents.filter_map(|part| part.member("text")?.as_str());
    texts.filter(|text| text.len() >= 4).map(|text| text.chars().take(200).collect()).collect()
}

pub(super) static KEY_RULE: Rule = Rule {
    clause: KEY,
    requires: "A client answers a request from what it kept only if method and params are the same.",
    judged: "A user who wanted to read a resource and got something: the client had asked for that very URI, and what it \
             showed, where the driver tells, is not the text of another resource alone. Only where the client had been \
             given something to keep before.",
    untested: "no user read a second resource behind one that could be kept",
    judge: key,
    ..rule("caching.client-key", Level::Must)
};

fn key(view: View<'_>) -> Verdict {
    let kept = |exchange: &Exchange<'_>| ttl(*exchange).is_some_and(|ttl| ttl > 0.0);
    let given: Vec<(&Message<'_>, String, Vec<String>)> = client::modern(view)
        .filter(|exchange| exchange.is("resources/read") && kept(exchange))
        .filter_map(|exchange| {
            let uri = exchange.param("uri")?.as_str()?.into_owned();
            Some((exchange.answer()?, uri, texts(exchange.result()?)))
        })
        .take(64)
        .collect();
    fulfilled(view)
        .filter_map(|(wish, came)| {
            let uri = uri_of(wish)?;
            let (before, other, foreign) =
                given.iter().find(|(answer, other, _)| answer.entry < wish.entry && other != uri)?;
            let own: Vec<Exchange<'_>> = reads(view, uri).filter(|read| read.request().entry < came).collect();
            let breach = |what: String| Some(Err(Breach::at_entry(came, what).after(before)));
            if own.is_empty() {
                return breach(format!("gives its user {uri} without ever asking for it"));
            }
            let shown = wish.came.as_ref().map(|came| came.words.to_string()).unwrap_or_default();
            let shows = |text: &String| {
                let quoted = serde_json::Value::from(text.as_str()).to_string();
                shown.contains(quoted.trim_matches('"'))
            };
            let mine: Vec<String> = own.iter().filter_map(|read| read.result()).flat_map(texts).collect();
            let is_foreign = !mine.is_empty() && foreign.iter().any(|text| !mine.contains(text) && shows(text));
            if is_foreign && !mine.iter().any(shows) {
                return breach(format!("shows what it kept of {other} in place of {uri}"));
            }
            Some(Ok(()))
        })
        .collect()
}

pub(super) static NO_CACHE_OF_RETRIES: Rule = Rule {
    clause: KEY,
    requires: "What came of a request with input or state is not kept.",
    judged: "A user who reads a resource again that was read by way of a question: the client asks the server again.",
    untested: "no user read a resource twice of which the first reading took a question",
    judge: no_cache_of_retries,
    ..rule("caching.client-no-cache-of-retries", Level::Must)
};

fn no_cache_of_retries(view: View<'_>) -> Verdict {
    fulfilled(view)
        .filter_map(|(wish, came)| {
            let uri = uri_of(wish)?;
            let all: Vec<Exchange<'_>> = reads(view, uri).collect();
            let earlier = |read: &&Exchange<'_>| read.answer().is_some_and(|answer| answer.entry < wish.entry);
            // The latest of them is what a client could have kept.
            let last = all.iter().rfind(earlier)?;
            let by_question = last.param("inputResponses").is_some() || last.param("requestState").is_some();
            last.result().filter(|_| by_question && ttl(*last).is_some_and(|ttl| ttl > 0.0))?;
            let asks = all.iter().any(|read| (wish.entry..came).contains(&read.request().entry));
            let what = || format!("gives its user {uri} again without asking, although it took a question to get it");
            Some(if asks { Ok(()) } else { Err(Breach::at_entry(came, what()).after(last.answer()?)) })
        })
        .collect()
}

/// How long a result may be kept, in milliseconds: nothing where it does not say.
fn ttl(exchange: Exchange<'_>) -> Option<f64> {
    exchange.result()?.member("ttlMs")?.as_f64()
}

pub(super) static STALE_AFTER_TTL: Rule = Rule {
    requires: "A client that needs what has expired asks for it again.",
    judged: "A user who wants a list or a resource again. Once the time of the last answer is over, the client asks. One that \
             may not be kept at all is a warning, since the page only allows to ask then, and one that says nothing is left \
             to the client. A negative time is none: a client that cannot use such an answer breaks the rule.",
    untested: "no user wanted something again of which the time was over",
    judge: stale_after_ttl,
    ..rule("caching.client-stale-after-ttl", Level::Should)
};

fn stale_after_ttl(view: View<'_>) -> Verdict {
    let mut checks: Vec<Check> = Vec::new();
    for (wish, came) in fulfilled(view) {
        let uri = uri_of(wish);
        let Some(method) = listed_by(wish).or(uri.map(|_| "resources/read")) else { continue };
        let of = |exchange: &Exchange<'_>| {
            let same = uri.is_none_or(|uri| exchange.param("uri").is_some_and(|own| own.is(uri)));
            exchange.is(method) && same && exchange.param("cursor").is_none()
        };
        let all: Vec<Exchange<'_>> = client::modern(view).filter(of).collect();
        let last = all.iter().rfind(|one| one.answer().is_some_and(|answer| answer.entry < wish.entry));
        let Some((last, answer)) = last.and_then(|last| Some((last, last.answer()?))) else { continue };
        let Some(ttl) = last.result().and_then(|_| ttl(*last)) else { continue };
        let passed = wish.at.saturating_sub(answer.at);
        // Half a second of grace, for the clocks of both sides run apart.
        if ttl > 0.0 && (passed as f64) < (ttl + 500.0) * 1000.0 {
            continue;
        }
        let asks = all.iter().any(|one| (wish.entry..came).contains(&one.request().entry));
        checks.push(if asks {
            Ok(())
        } else if ttl > 0.0 {
            let what = format!("does not ask {method} again although its answer has expired");
            Err(Breach::at_entry(came, what).after(answer))
        } else {
            let what = format!("does not ask {method} again although its answer was not to be kept");
            Err(Breach::at_entry(came, what).after(answer).as_warning())
        });
    }
    checks.extend(unusable(view));
    checks.into_iter().collect()
}

/// Lists and resources that a client could not use, though nothing was odd about them but their time.
fn unusable(view: View<'_>) -> Vec<Check> {
    let negative = |exchange: &Exchange<'_>| {
        let result = exchange.result();
        let member = LISTS.iter().find(|(method, ..)| exchange.is(method)).map_or("contents", |(_, member, _)| *member);
        result.is_some_and(|result| {
            probe::is_final(view.revision(), result)
                && result.member(member).is_some_and(Value::is_array)
                && result.member("cacheScope").is_some_and(|scope| scope.is("public") || scope.is("private"))
                && result.member("ttlMs").and_then(Value::as_f64).is_some_and(|ttl| (-1e9..0.0).contains(&ttl))
        })
    };
    let odd: Vec<Exchange<'_>> = client::modern(view).filter(negative).take(64).collect();
    let died = odd.iter().filter_map(|one| Some((one, one.answer()?))).find_map(|(one, answer)| {
        let left = client::left_behind(view, answer)?;
        let what = format!("hangs up on an answer to {} whose time is negative", one.method());
        Some(Err(Breach::at_entry(left, what).after(answer)))
    });
    let wishes = view.user().wishes.iter().filter_map(|wish| Some((wish, wish.came.as_ref()?.entry)));
    wishes
        .filter_map(|(wish, came)| {
            let method = listed_by(wish).or(uri_of(wish).map(|_| "resources/read"))?;
            let during = |one: &&Exchange<'_>| one.is(method) && (wish.entry..came).contains(&one.request().entry);
            let answer = odd.iter().find(during)?.answer()?;
            // Another page of the same list may have been at fault.
            let all_odd = client::modern(view)
                .filter(|one| during(&one))
                .all(|one| odd.iter().any(|other| other.request().entry == one.request().entry));
            let what = format!("cannot use an answer to {method} whose time is negative");
            match wish.has_failed() {
                true if all_odd => Some(Err(Breach::at_entry(came, what).after(answer))),
                true => None,
                false => Some(Ok(())),
            }
        })
        .chain(died)
        .collect()
}

pub(super) static NO_TTL_POLLING: Rule = Rule {
    requires: "A client does not ask again each time that something expires.",
    judged: "While its user is idle, and no change is announced: four requests for the same list or resource whose distances \
             differ by no more than a fifth and are about the time of the answer. Whoever asks again at other intervals is \
             not judged.",
    untested: "no user was idle behind an answer that expired meanwhile",
    judge: no_ttl_polling,
    ..rule("caching.client-no-ttl-polling", Level::Should)
};

fn no_ttl_polling(view: View<'_>) -> Verdict {
    let idle = view.user().wishes.iter().filter(|wish| wish.kind() == "idle");
    idle.filter_map(|wish| {
        let came = wish.came.as_ref()?;
        let window = wish.entry..came.entry;
        let asked = |exchange: &Exchange<'_>| ttl(*exchange).is_some_and(|ttl| ttl > 0.0);
        let before: Vec<Exchange<'_>> = client::modern(view)
            .filter(|exchange| exchange.answer().is_some_and(|answer| answer.entry < wish.entry) && asked(exchange))
            .collect();
        let shortest = before.iter().filter_map(|exchange| ttl(*exchange)).fold(f64::INFINITY, f64::min);
        let idled = came.at.saturating_sub(wish.at) as f64;
        if shortest * 5000.0 > idled {
            return None;
        }
        let announced = view.messages_by(Speaker::Peer).any(|message| {
            let is_news =
                message.method().is_some_and(|method| method.ends_with("changed") || method.ends_with("updated"));
            is_news && window.contains(&message.entry)
        });
        if announced {
            return None;
        }
        let mut seen: HashSet<String> = HashSet::new();
        let during: Vec<Exchange<'_>> =
            client::modern(view).filter(|exchange| window.contains(&exchange.request().entry)).take(MOST).collect();
        for exchange in &during {
            if !seen.insert(kept_by(*exchange)) {
                continue;
            }
            let train: Vec<Exchange<'_>> =
                during.iter().filter(|one| kept_by(**one) == kept_by(*exchange)).copied().collect();
            if is_clockwork(&train)
                && let Some(last) = train.last()
            {
                let what = format!("asks {} again and again as its answers expire", last.method());
                return Some(Err(Breach::at(last.request(), what).after(exchange.request())));
            }
        }
        Some(Ok(()))
    })
    .collect()
}

/// More requests of one session are not looked at.
const MOST: usize = 256;

/// What the answer to a request would be kept by.
fn kept_by(exchange: Exchange<'_>) -> String {
    let text = |name: &str| exchange.param(name).map(|value| value.raw().to_owned()).unwrap_or_default();
    format!("{} {} {}", exchange.method(), text("uri"), text("cursor"))
}

/// Whether requests follow each other at one distance, which is about the time of their answers.
fn is_clockwork(train: &[Exchange<'_>]) -> bool {
    let times: Vec<f64> = train.iter().map(|exchange| exchange.request().at as f64 / 1000.0).collect();
    let gaps: Vec<f64> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
    let (least, most) =
        gaps.iter().fold((f64::INFINITY, 0.0_f64), |(least, most), gap| (least.min(*gap), most.max(*gap)));
    let ttl = train.first().and_then(|first| ttl(*first)).unwrap_or_default();
    gaps.len() >= 3 && most <= least * 1.2 && ttl > 0.0 && least >= ttl * 0.5 && most <= ttl * 3.0
}

pub(super) static RESTARTS_ON_BAD_CURSOR: Rule = Rule {
    clause: "2026-07-28/server/utilities/caching#interaction-with-pagination",
    requires: "A client whose cursor stops working begins the list anew.",
    judged: "Broken by a user's wish for the whole list that is fulfilled although a page was refused and the list was not \
             begun anew, and by asking more than ten times for pages that are refused. That the user learns of the error \
             is fine.",
    untested: "no further page of a list was refused with -32602",
    judge: restarts_on_bad_cursor,
    ..rule("caching.client-restarts-on-bad-cursor", Level::Should)
};

fn restarts_on_bad_cursor(view: View<'_>) -> Verdict {
    const MANY: usize = 10;
    let mut checks: Vec<Check> = Vec::new();
    for &(method, ..) in LISTS {
        let all: Vec<Exchange<'_>> = client::modern(view).filter(|exchange| exchange.is(method)).collect();
        let is_refused = |exchange: &&Exchange<'_>| {
            exchange.param("cursor").is_some() && exchange.error_code() == Some(crate::revision::code::INVALID_PARAMS)
        };
        let refused: Vec<&Exchange<'_>> = all.iter().filter(is_refused).collect();
        let Some((first, answer)) = refused.first().and_then(|first| Some((first, first.answer()?))) else { continue };
        if let Some(last) = refused.get(MANY) {
            let what = format!("asks {method} for pages that are refused again and again");
            checks.push(Err(Breach::at(last.request(), what).after(answer)));
            continue;
        }
        let anew = |until: usize| {
            let begins = |one: &Exchange<'_>| one.param("cursor").is_none_or(Value::is_null);
            all.iter().any(|one| begins(one) && (answer.entry..until).contains(&one.request().entry))
        };
        let wish = fulfilled(view).find(|(wish, came)| {
            listed_by(wish) == Some(method) && wish.entry < first.request().entry && *came > answer.entry
        });
        checks.push(match wish {
            Some((_, came)) if !anew(came) => {
                let what = format!("takes {method} for whole although a page of it was refused");
                Err(Breach::at_entry(came, what).after(answer))
            }
            _ => Ok(()),
        });
    }
    checks.into_iter().collect()
}
