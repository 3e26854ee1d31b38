//! Clients: bearing whatever a server says, and an end to everything.

use std::collections::HashSet;

use crate::revision::{Revisions, Side};
use crate::rules::{Breach, Check, Level, Rule, Transports, Verdict, client, errand, probe};
use crate::session::{Message, Shape, Speaker, View};
use crate::transcript::{Event, Intent, Transport};
use crate::wire::Value;

const fn rule(id: &'static str) -> Rule {
    Rule {
        id,
        level: Level::Robustness,
        side: Some(Side::Client),
        revisions: Revisions::ALL,
        transports: Transports::BOTH,
        clause: "",
        requires: "",
        judged: "",
        untested: "the client said nothing",
        judge: |_| Verdict::untested(),
    }
}

/// `robust.client-survives`
pub static SURVIVES: Rule = Rule {
    requires: "A client is not brought down by anything that its server says.",
    judged: "A process that a signal of its own ended, that panicked, or that was gone while its user still waited for \
             something breaks it. To give up with an error is no end of this kind.",
    judge: survives,
    ..rule("robust.client-survives")
};

fn survives(view: View<'_>) -> Verdict {
    if !view.is_of_the_run() || view.messages_by(Speaker::Subject).next().is_none() {
        return Verdict::untested();
    }
    let entries = view.entries();
    let Some((index, code, signal)) = entries.iter().enumerate().find_map(|(index, entry)| match entry.event {
        Event::Exited { code, signal, .. } => Some((index, code, signal)),
        _ => None,
    }) else {
        return Verdict::untested();
    };
    // Clients hand on what their server writes to its standard error.
    let says_so = |text: &str| text.contains("panicked at") || text.contains("fatal runtime error");
    let ours = entries.iter().any(|entry| matches!(&entry.event, Event::Aside { text } if says_so(text)));
    let panicked = !ours && entries.iter().any(|entry| matches!(&entry.event, Event::Stderr { text } if says_so(text)));
    let waiting = view.user().wishes.iter().find(|wish| wish.came.is_none() && wish.is_for_the_client());
    let story = |what: String| {
        let breach = Breach::at_entry(index, what);
        match departure_before(view, index) {
            Some(departure) => breach.after(departure),
            None => breach,
        }
    };
    let check: Check = match (signal, waiting) {
        (Some(signal), _) => Err(story(format!("is ended by signal {signal}"))),
        (None, _) if panicked => Err(story("panics".to_owned())),
        (None, Some(wish)) => {
            let code = code.unwrap_or_default();
            Err(story(format!("exits with code {code} while its user waits for the wish to {}", wish.kind())))
        }
        (None, None) => Ok(()),
    };
    [check].into_iter().collect()
}

/// What the client may be reacting to.
fn departure_before<'s>(view: View<'s>, entry: usize) -> Option<&'s Message<'s>> {
    let mut sent = view.every_message().filter(|message| message.by == Speaker::Peer && message.entry < entry);
    sent.rfind(|message| message.intent == Intent::Departure)
}

/// `robust.client-ends`
pub static ENDS: Rule = Rule {
    requires: "A client ends when its server is gone.",
    judged: "A client that had to be killed some seconds after the harness ended the session breaks it. Over HTTP nothing \
             tells a client of that while it waits for something, so that one is not judged.",
    untested: "the session was not ended by the harness, and the client did not end either",
    judge: ends,
    ..rule("robust.client-ends")
};

fn ends(view: View<'_>) -> Verdict {
    if !view.is_of_the_run() || view.messages_by(Speaker::Subject).next().is_none() {
        return Verdict::untested();
    }
    let waits = |end: usize| {
        let open = |came: Option<usize>| came.is_none_or(|came| came > end);
        let mut wishes = view.user().wishes.iter().filter(|wish| wish.is_for_the_client() && wish.entry < end);
        wishes.any(|wish| open(wish.came.as_ref().map(|came| came.entry)))
    };
    let mut closed = false;
    let ended = view.entries().iter().enumerate().find_map(|(index, entry)| match entry.event {
        Event::Closed => {
            closed = true;
            None
        }
        Event::Exited { .. } => Some(Ok(())),
        Event::Killed if closed && view.transport() == Transport::Http && waits(index) => None,
        Event::Killed if closed => Some(Err(Breach::at_entry(index, "still runs although its server is gone"))),
        _ => None,
    });
    ended.into_iter().collect()
}

/// `robust.client-gives-up`
pub static GIVES_UP: Rule = Rule {
    requires: "A client gives up on a server that never answers.",
    judged: "The client had a minute and a half. It may cancel, hang up, tell its user, or ask again; only one that does \
             nothing at all until the harness ends the session breaks the rule.",
    untested: "the client was never left without an answer for so long",
    judge: gives_up,
    ..rule("robust.client-gives-up")
};

/// How long a client may wait, in microseconds.
const PATIENCE: u64 = 85_000_000;

fn gives_up(view: View<'_>) -> Verdict {
    let entries = view.entries();
    let Some(over) = entries.iter().position(|entry| matches!(entry.event, Event::Closed | Event::Killed)) else {
        return Verdict::untested();
    };
    let end = entries.get(over).map_or(0, |entry| entry.at);
    let withheld = |exchange: &crate::session::Exchange<'_>| {
        exchange.answer().is_none() && !exchange.is("subscriptions/listen") && end > exchange.request().at + PATIENCE
    };
    let Some(asked) = view.every_exchange_by(Speaker::Subject).find(withheld) else {
        let gave_up = view.every_exchange_by(Speaker::Subject).any(|exchange| exchange.cancellation().is_some());
        return gave_up.then_some(Ok(())).into_iter().collect();
    };
    let request = asked.request();
    let tells = |event: &Event| matches!(event, Event::Surface { .. } | Event::Ended);
    let told = entries.iter().take(over).skip(request.entry + 1).any(|entry| tells(&entry.event));
    // That it answers what the harness asks does not end its own waiting.
    let says = client::own(view).any(|own| own.entry > request.entry && own.shape != Shape::Response);
    let acted = told || says;
    let what = format!("waits for the answer to {} for ever", asked.method());
    let check = if acted { Ok(()) } else { Err(Breach::at_entry(over, what).after(request)) };
    [check].into_iter().collect()
}

/// `robust.client-bounded-walk`
pub static BOUNDED_WALK: Rule = Rule {
    requires: "A client does not follow the pages of one list for ever.",
    judged: "A client that asks for more than ten thousand pages of a list that never ends, or that still asks when the \
             harness ends the session after two minutes, breaks it.",
    untested: "no list had more than a hundred pages",
    judge: bounded_walk,
    ..rule("robust.client-bounded-walk")
};

fn bounded_walk(view: View<'_>) -> Verdict {
    const MANY: usize = 100;
    const MOST: usize = 10_000;
    crate::revision::LISTS
        .iter()
        .filter_map(|(method, ..)| {
            let pages: Vec<_> = view.requests_by(Speaker::Subject).filter(|request| request.is(method)).collect();
            let last = pages.last().filter(|_| pages.len() > MANY)?;
            let cut_short = view.entries().iter().skip(last.entry).take(6).any(|entry| entry.event == Event::Killed);
            let endless = pages.len() > MOST || cut_short;
            let what = format!("asks for page after page of {method} without end");
            Some(if endless { Err(Breach::at(last, what)) } else { Ok(()) })
        })
        .collect()
}

/// `robust.client-keeps-others`
pub static KEEPS_OTHERS: Rule = Rule {
    requires: "One tool that a client cannot use does not cost its user the others.",
    judged: "Lists with a tool that has no proper name, schema, hints or icons, or with two of one name: a wish for the list does not fail, and some of the \
             other tools stand on the surface. A list that is too long or too deep for usual parsers may be lost as a whole.",
    untested: "no driver told of a list with a tool that was spoilt, or showed its tools behind it",
    judge: keeps_others,
    ..rule("robust.client-keeps-others")
};

/// Levels of nesting that every parser of JSON bears.
const DEEP: usize = 100;

fn keeps_others(view: View<'_>) -> Verdict {
    view.exchanges_by(Speaker::Subject)
        .filter(|exchange| exchange.is("tools/list"))
        .filter_map(|list| {
            let answer = list.answer().filter(|answer| answer.intent == Intent::Departure)?;
            let result = list.result().filter(|result| probe::is_final(view.revision(), *result))?;
            let tools = result.member("tools")?;
            if answer.nesting() > DEEP || answer.is_large() {
                return None;
            }
            let names: HashSet<String> = tools
                .items()
                .filter(|tool| is_fit(*tool))
                .filter_map(|tool| Some(tool.member("name")?.as_str()?.into_owned()))
                .collect();
            // With all of them, nothing is spoilt; with one tool there are no others.
            let (all, fit) = (tools.items().count(), tools.items().filter(|tool| is_fit(*tool)).count());
            let spoilt = names.len() > 1 && (fit < all || names.len() < fit);
            let what = "shows none of the tools of a list in which one was spoilt";
            let lost = |entry: usize| Some(Err(Breach::at_entry(entry, what).after(answer)));
            let shown = view.user().surfaces.iter().find(|said| said.entry > answer.entry);
            let tools = shown.and_then(|shown| Some((shown.entry, shown.names("tools")?)));
            match (errand::listing(view, list), tools) {
                _ if !spoilt => None,
                (Some(wish), _) if wish.has_failed() => lost(wish.came.as_ref()?.entry),
                (_, Some((entry, tools))) if !names.iter().any(|name| tools.contains(&name.as_str())) => lost(entry),
                (Some(wish), None) if wish.is_fulfilled() => Some(Ok(())),
                (_, Some(_)) => Some(Ok(())),
                _ => None,
            }
        })
        .collect()
}

/// Whether a tool is one that a usual client can use.
fn is_fit(tool: Value<'_>) -> bool {
    let schema = tool.path(&["inputSchema", "type"]).is_some_and(|kind| kind.is("object"));
    let hints = tool.member("annotations").is_none_or(|annotations| {
        annotations.members().all(|(key, hint)| if key == "title" { hint.is_string() } else { hint.is_bool() })
    });
    schema
        && hints
        && tool.member("name").is_some_and(Value::is_string)
        && tool.member("icons").is_none_or(Value::is_array)
}
