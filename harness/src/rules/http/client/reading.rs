//! Reading what a server answers, and coming back to streams that broke.

use super::super::{LAST_EVENT_ID, streamable};
use super::{STREAMABLE, at, is_broken, last_event_id, rule, was_taken};
use crate::revision::{Revision, Revisions};
use crate::rules::{Breach, Check, Level, Rule, Verdict};
use crate::session::http::Part;
use crate::session::{HttpExchange, View};
use crate::transcript::{Delivery, Event, Intent};
use crate::wire::Id;

const SENDING: &str = "2026-07-28/basic/transports/streamable-http#sending-messages";
const RECEIVING: &str = "2026-07-28/basic/transports/streamable-http#receiving-messages";
const LISTENING: &str = "2025-11-25/basic/transports#listening-for-messages-from-the-server";
const POSTING: &str = "2025-11-25/basic/transports#sending-messages-to-the-server";
const RESUMING: &str = "2025-11-25/basic/transports#resumability-and-redelivery";

/// Since there is Streamable HTTP.
const SINCE: Revisions = Revisions::since(Revision::V2025_03_26);

/// The entry of the answer, if an honest server could have given it, and whether the client took it.
fn honest_answer(view: View<'_>, http: &HttpExchange<'_>) -> Option<(usize, bool)> {
    let (entry, _) = http.answer().filter(|_| http.is_accepted())?;
    let Event::Sent { intent: Intent::Honest, frame, .. } = &view.entries().get(entry)?.event else { return None };
    // The user of a tool that failed is told so, and that looks like an answer that was lost.
    let failed = frame.json().ok()?.path(&["result", "isError"]).is_some_and(|failed| failed.as_bool() == Some(true));
    let honest = !failed;
    Some((entry, was_taken(view, http, entry).filter(|_| honest)?))
}

pub(in crate::rules::http) static BOTH_ANSWER_TYPES: Rule = Rule {
    requires: "A client takes an answer by JSON and an answer by a stream of events.",
    judged: "Sessions in which the same client got honest answers of both kinds. What it took shows by what its user is \
             told, or by its next messages; broken if all answers of one kind were lost on it and one of the other was \
             not.",
    untested: "the client did not get honest answers of both kinds in one session",
    judge: both_answer_types,
    ..rule("http.client.both-answer-types", Level::Must, SINCE, SENDING)
};

fn both_answer_types(view: View<'_>) -> Verdict {
    let all = streamable(view);
    let answers = |streams: bool| -> Vec<(usize, bool)> {
        let of_kind = all.iter().filter(|http| http.is_stream() == streams && http.style.is_empty());
        of_kind.filter_map(|http| honest_answer(view, http)).collect()
    };
    let kinds = [(answers(false), "JSON"), (answers(true), "a stream of events")];
    if kinds.iter().any(|(answers, _)| answers.is_empty()) || !kinds.iter().any(|(all, _)| all.iter().any(|one| one.1))
    {
        return Verdict::untested();
    }
    kinds
        .iter()
        .map(|(answers, kind)| match answers.iter().find(|(_, taken)| !taken) {
            Some((entry, _)) if answers.iter().all(|(_, taken)| !taken) => {
                Err(Breach::at_entry(*entry, format!("does not take an answer by {kind}")))
            }
            _ => Ok(()),
        })
        .collect()
}

pub(in crate::rules::http) static SSE_PARSING: Rule = Rule {
    requires: "A client reads streams of events as the standard has them.",
    judged: "Comments, data over several lines, every line end, a byte order mark, no space behind the colon, fields that \
             nobody knows, events without data, names, borders of chunks inside of characters. An answer so written must \
             be taken, and an event that the end of the stream cut off must not. Trouble with nothing but bare CRs or a \
             byte order mark is a warning.",
    untested: "the client got no stream that was written in an unusual way",
    judge: sse_parsing,
    ..rule("http.client.sse-parsing", Level::Must, SINCE, RECEIVING)
};

fn sse_parsing(view: View<'_>) -> Verdict {
    let all = streamable(view);
    let read = all.iter().filter(|http| http.is_stream() && !http.style.is_empty()).filter_map(|http| {
        let (entry, taken) = honest_answer(view, http)?;
        if taken {
            return Some(Ok(()));
        }
        let breach =
            Breach::at_entry(entry, format!("does not take an answer that is written with {}", http.style.join(", ")));
        let doubtful = http.style.iter().all(|word| word == "bare CRs" || word == "a byte order mark");
        Some(Err(if doubtful { breach.as_warning() } else { breach }))
    });
    let unfinished = all.iter().flat_map(|http| &http.parts).filter_map(|part| match part {
        Part::Message { entry, frame } => {
            let torn = matches!(view.entries().get(*entry)?.event, Event::Sent { delivery: Delivery::Unended, .. });
            let asked = frame.json().ok().filter(|_| torn)?;
            let id = asked.member("method").and(asked.member("id")).map(Id::read)?;
            let answered = |http: &&HttpExchange<'_>| {
                let body = http.body().filter(|body| body.member("method").is_none());
                body.and_then(|body| body.member("id")).is_some_and(|own| Id::read(own) == id)
            };
            let answer = view.session_http().iter().filter(|http| http.entry > *entry).find(|http| answered(http));
            let what = "answers a request in an event that the end of the stream cut off";
            Some(answer.map_or(Ok(()), |answer| Err(Breach::at_entry(answer.entry, what).after_entry(*entry))))
        }
        _ => None,
    });
    read.chain(unfinished).collect()
}

pub(in crate::rules::http) static GET_405: Rule = Rule {
    requires: "A client works with a server that offers no stream by GET.",
    judged: "Behind a 405 for GET the client must go on, and must not ask for the stream again and again. One that leaves \
             with its user content is fine.",
    untested: "no GET of the client was refused with 405, or the client had nothing more to do",
    judge: get_405,
    ..rule("http.client.get-405-tolerated", Level::Should, STREAMABLE, LISTENING)
};

fn get_405(view: View<'_>) -> Verdict {
    /// So many refused requests in so short a time are a loop.
    const LOOP: usize = 10;
    const LOOP_TIME: u64 = 5_000_000;
    let all = streamable(view);
    let refused: Vec<_> = all.iter().filter(|http| http.verb == "GET" && http.status() == Some(405)).collect();
    let Some(first) = refused.first() else { return Verdict::untested() };
    let fast = refused.windows(LOOP).find_map(|some| match some {
        [first, .., last] if at(view, last.entry) < at(view, first.entry) + LOOP_TIME => Some(last.entry),
        _ => None,
    });
    if let Some(entry) = fast {
        return [Err(Breach::at_entry(entry, "asks for a stream again and again"))].into_iter().collect();
    }
    let goes_on = all.iter().any(|http| http.verb == "POST" && http.id().is_some() && http.entry > first.last_entry());
    // Time passes without a server too.
    let needs = |wish: &&crate::session::user::Wish| !matches!(wish.kind(), "idle" | "surface" | "close");
    let came = |wish: &&crate::session::user::Wish| wish.came.as_ref().is_some_and(|came| came.entry > first.entry);
    let behind = || view.user().wishes.iter().filter(needs).filter(came);
    let check: Check = match behind().find(|wish| wish.has_failed()) {
        _ if goes_on || behind().any(crate::session::user::Wish::is_fulfilled) => Ok(()),
        Some(wish) => {
            let what = "fails its user behind a 405 for the stream";
            Err(Breach::at_entry(wish.entry, what).after_entry(first.last_entry()))
        }
        None => return Verdict::untested(),
    };
    [check].into_iter().collect()
}

pub(in crate::rules::http) static RETRY_RESPECTED: Rule = Rule {
    requires: "A client waits for the time in `retry` before it comes back to a stream that was closed.",
    judged: "The time from the end of the stream to the GET with an event id of it, less a tenth. To come late or never is \
             no breach of this.",
    untested: "the client did not come back to a stream that had told it to wait",
    judge: retry_respected,
    ..rule("http.client.retry-respected", Level::Must, Revisions::of(&[Revision::V2025_11_25]), POSTING)
};

fn retry_respected(view: View<'_>) -> Verdict {
    let all = streamable(view);
    let checks = all.iter().filter(|http| is_broken(http)).filter_map(|http| {
        let retry = http.parts.iter().rev().find_map(|part| match part {
            Part::Event { retry, .. } => *retry,
            _ => None,
        })?;
        let end = http.last_entry();
        let back =
            all.iter().filter(|other| other.verb == "GET" && other.entry > end).find(|other| resumes(other, http))?;
        let waited = at(view, back.entry).saturating_sub(at(view, end)) / 1000;
        let early = waited * 10 < retry.saturating_mul(9);
        let what = || format!("comes back after {waited} ms, having been told to wait for {retry} ms");
        Some(if early { Err(Breach::at_entry(back.entry, what()).after_entry(end)) } else { Ok(()) })
    });
    checks.collect()
}

/// Whether a request asks for the rest of a stream.
fn resumes(request: &HttpExchange<'_>, stream: &HttpExchange<'_>) -> bool {
    let Some(last) = request.headers.value(LAST_EVENT_ID).map(str::trim) else { return false };
    stream.parts.iter().any(|part| matches!(part, Part::Event { id: Some(id), .. } if *id == last))
}

pub(in crate::rules::http) static RESUMES: Rule = Rule {
    requires: "A client comes back to a stream that broke by GET with the id of the last event that it got.",
    judged: "Streams with event ids that ended before the answer. Broken by a client that names another event of the \
             stream, or that posts the same request under the same id once more. To come back is the client's choice; \
             one that does not, and whose user is told of a failure, gets a warning.",
    untested: "no stream with event ids ended before its answer, or the client left with it",
    judge: resumes_by_id,
    ..rule("http.client.resumes-with-last-event-id", Level::Should, STREAMABLE, RESUMING)
};

fn resumes_by_id(view: View<'_>) -> Verdict {
    let all = streamable(view);
    let broken = all.iter().filter(|http| is_broken(http)).filter_map(|http| Some((http, last_event_id(http)?)));
    broken
        .filter_map(|(http, last)| {
            let end = http.last_entry();
            let behind = || all.iter().filter(move |other| other.entry > end);
            let again = behind().find(|other| other.verb == "POST" && other.id().is_some() && other.id() == http.id());
            if let Some(again) = again.filter(|again| again.method() == http.method()) {
                let what = "posts the same request once more instead of taking up its stream";
                return Some(Err(Breach::at_entry(again.entry, what).after_entry(end)));
            }
            if let Some(back) = behind().find(|other| other.verb == "GET" && resumes(other, http)) {
                let named = back.headers.value(LAST_EVENT_ID).map(str::trim);
                let what = || format!("takes up a stream behind the event {named:?} where {last:?} was the last one");
                let right = named == Some(last);
                return Some(if right { Ok(()) } else { Err(Breach::at_entry(back.entry, what()).after_entry(end)) });
            }
            let wish = view.user().wishes.iter().rev().find(|wish| wish.entry < http.entry)?;
            let what = "does not come back for the rest of a stream";
            wish.has_failed().then(|| Err(Breach::at_entry(end, what).as_warning()))
        })
        .collect()
}
