//! How a client opens a legacy session: what it says first, and what it makes of the server's version.

use crate::revision::{Era, Revision, Revisions, Side, never_released};
use crate::rules::{Breach, Check, Level, Rule, Transports, Verdict};
use crate::session::{Exchange, Fate, Message, Shape, Speaker, View};
use crate::transcript::{Event, Intent};
use crate::wire::Kind;

const CLAUSE: &str = "2025-11-25/basic/lifecycle#initialization";
const NEGOTIATION: &str = "2025-11-25/basic/lifecycle#version-negotiation";

const fn rule(id: &'static str, level: Level) -> Rule {
    Rule {
        id,
        level,
        side: Some(Side::Client),
        revisions: Revisions::LEGACY,
        transports: Transports::BOTH,
        clause: CLAUSE,
        requires: "",
        judged: "",
        untested: "the client sent no `initialize`",
        judge: |_| Verdict::untested(),
    }
}

/// The first `initialize` of a client and all that it said behind it.
struct Opening<'s> {
    view: View<'s>,
    exchange: Exchange<'s>,
}

impl<'s> Opening<'s> {
    fn of(view: View<'s>) -> Option<Self> {
        let exchange = view.every_exchange_by(Speaker::Subject).find(|exchange| exchange.is("initialize"))?;
        let governed = exchange.request().revision == Some(view.revision());
        governed.then_some(Self { view, exchange })
    }

    fn asked(&self) -> Option<String> {
        Some(self.exchange.param("protocolVersion")?.as_str()?.into_owned())
    }

    fn answered(&self) -> Option<String> {
        Some(self.exchange.result()?.member("protocolVersion")?.as_str()?.into_owned())
    }

    /// The answer, if it came whole and once and was a success.
    fn success(&self) -> Option<&'s Message<'s>> {
        let whole = |answer: &&Message<'_>| answer.is_success() && answer.own_line;
        self.exchange.answer().filter(whole).filter(|_| self.exchange.answers().len() == 1)
    }

    /// What the client said behind an entry.
    fn behind(&self, entry: usize) -> impl Iterator<Item = &'s Message<'s>> {
        self.view.every_message().filter(move |message| message.by == Speaker::Subject && message.entry > entry)
    }

    /// The first message by which the client goes on as if all were well.
    fn goes_on(&self, entry: usize) -> Option<&'s Message<'s>> {
        self.behind(entry).find(|message| {
            let asks = message.shape == Shape::Request && !message.is("ping") && !message.is("initialize");
            (asks && message.modern_version().is_none()) || message.is("notifications/initialized")
        })
    }

    fn initialized(&self) -> Option<&'s Message<'s>> {
        self.behind(self.exchange.request().entry).find(|message| message.is("notifications/initialized"))
    }

    /// The entry at which the client hung up by itself, before the harness did.
    fn hung_up(&self) -> Option<usize> {
        let entries = self.view.entries();
        let ends = |event: &Event| matches!(event, Event::Ended | Event::Closed | Event::Exited { .. } | Event::Killed);
        let place = entries.iter().position(|entry| ends(&entry.event))?;
        matches!(entries.get(place)?.event, Event::Ended | Event::Exited { .. }).then_some(place)
    }

    /// The entry that shows that the client was still there when it had had its time.
    fn stayed(&self) -> Option<usize> {
        let entries = self.view.entries();
        let over = entries.iter().position(|entry| matches!(entry.event, Event::Closed | Event::Settled))?;
        self.hung_up().is_none_or(|place| place > over).then_some(over)
    }
}

pub(super) static FIRST_MESSAGE: Rule = Rule {
    requires: "A client opens the session with `initialize` and sends nothing else before it.",
    judged: "Modern requests, which a dual-era client sends to learn what the server speaks, and their cancellations may \
             come first. A ping before is a warning, since another page allows pings at any time.",
    judge: first_message,
    ..rule("lifecycle.init.first-message", Level::Must)
};

fn first_message(view: View<'_>) -> Verdict {
    let Some(opening) = Opening::of(view) else { return Verdict::untested() };
    let first = opening.exchange.request();
    let earlier = view.every_message().filter(|message| message.by == Speaker::Subject && message.entry < first.entry);
    let mut checks: Vec<Check> = Vec::new();
    for message in earlier {
        let probing = message.modern_version().is_some() || message.is("notifications/cancelled");
        if probing || message.shape == Shape::Response {
            continue;
        }
        let what = match message.method() {
            Some(method) => format!("sends {method} before initialize"),
            None => "sends something else before initialize".to_owned(),
        };
        let breach = Breach::at(message, what);
        checks.push(Err(if message.is("ping") { breach.as_warning() } else { breach }));
    }
    if checks.is_empty() {
        checks.push(Ok(()));
    }
    checks.into_iter().collect()
}

pub(super) static REQUEST_FIELDS: Rule = Rule {
    requires: "`initialize` has a protocol version, capabilities, and a client with a name and a version.",
    judged: "The types are those of the schema; what the capabilities are is judged elsewhere.",
    judge: request_fields,
    ..rule("lifecycle.init.request-fields", Level::Must)
};

fn request_fields(view: View<'_>) -> Verdict {
    let Some(opening) = Opening::of(view) else { return Verdict::untested() };
    let request = opening.exchange.request();
    let has = |key: &str, kind: Kind| request.param(key).is_some_and(|value| value.kind() == kind);
    let strange = |what: &str| Err(Breach::at(request, format!("sends initialize {what}")));
    let check: Check = if !has("protocolVersion", Kind::String) {
        strange("without a string protocolVersion")
    } else if !has("capabilities", Kind::Object) {
        strange("without an object capabilities")
    } else if !request.param("clientInfo").is_some_and(crate::rules::probe::is_implementation) {
        strange("without a clientInfo that has a string name and a string version")
    } else {
        Ok(())
    };
    [check].into_iter().collect()
}

pub(super) static INITIALIZED_SENT: Rule = Rule {
    requires: "After a successful answer to `initialize` a client sends `notifications/initialized`.",
    judged: "Broken if the client goes on to ask for something other than a ping, or stays connected until the harness \
             ends the session, and no `initialized` was seen. A client that leaves is not judged. Nothing forbids a \
             second one, one that a request overtakes, or one behind an error: those are warnings.",
    untested: "no `initialize` of the client was answered by a success that an honest server gives",
    judge: initialized_sent,
    ..rule("lifecycle.init.initialized-sent", Level::Must)
};

fn initialized_sent(view: View<'_>) -> Verdict {
    let Some(opening) = Opening::of(view) else { return Verdict::untested() };
    let all = || opening.behind(opening.exchange.request().entry);
    let Some(answer) = opening.success().filter(|answer| answer.intent == Intent::Honest) else {
        let refused = opening.exchange.answer().filter(|answer| answer.is_error());
        let anyway = refused.and_then(|answer| {
            let sent = all().find(|message| message.is("notifications/initialized"))?;
            let what = "sends initialized although initialize was refused";
            Some(Err(Breach::at(sent, what).after(answer).as_warning()))
        });
        return anyway.into_iter().collect();
    };
    let mut sent = all().filter(|message| message.is("notifications/initialized"));
    let asks = |message: &&Message<'_>| {
        message.shape == Shape::Request && !message.is("ping") && message.modern_version().is_none()
    };
    let asked = opening.behind(answer.entry).find(asks);
    let Some(first) = sent.next() else {
        let breach = match (asked, opening.stayed()) {
            (Some(asked), _) => {
                let method = asked.method().unwrap_or_default();
                Breach::at(asked, format!("asks for {method} and never sends initialized")).after(answer)
            }
            (None, Some(entry)) => Breach::at_entry(entry, "never sends initialized").after(answer),
            (None, None) => return Verdict::untested(),
        };
        return [Err(breach)].into_iter().collect();
    };
    let mut checks: Vec<Check> = vec![Ok(())];
    let mut warn = |message: &Message<'_>, what: &str| {
        checks.push(Err(Breach::at(message, what).after(answer).as_warning()));
    };
    if first.entry < answer.entry {
        warn(first, "sends initialized before initialize was answered");
    }
    sent.for_each(|again| warn(again, "sends initialized again"));
    if let Some(asked) = asked.filter(|asked| asked.entry < first.entry) {
        warn(asked, "asks for something before it sends initialized");
    }
    checks.into_iter().collect()
}

pub(super) static CLIENT_WAITS: Rule = Rule {
    requires: "Until `initialize` is answered a client sends no requests but pings.",
    judged: "Modern requests, by which a dual-era client learns what the server speaks, are not part of the session.",
    untested: "no `initialize` of the client was answered",
    judge: client_waits,
    ..rule("lifecycle.init.client-waits", Level::Should)
};

fn client_waits(view: View<'_>) -> Verdict {
    let Some(opening) = Opening::of(view) else { return Verdict::untested() };
    let Some(answer) = opening.exchange.answer() else { return Verdict::untested() };
    let early = opening.behind(opening.exchange.request().entry).find(|message| {
        let asks = message.shape == Shape::Request && !message.is("ping") && message.modern_version().is_none();
        asks && message.entry < answer.entry
    });
    let check = early.map_or(Ok(()), |early| {
        let method = early.method().unwrap_or_default();
        Err(Breach::at(early, format!("asks for {method} before initialize was answered")))
    });
    [check].into_iter().collect()
}

pub(super) static NOT_CANCELLED: Rule = Rule {
    clause: "2025-11-25/basic/utilities/cancellation#behavior-requirements",
    requires: "A client does not cancel its `initialize`.",
    judged: "Only an `initialize` that the harness left without an answer tempts a client. Hanging up is fine.",
    untested: "no `initialize` of the client was left without an answer",
    judge: not_cancelled,
    ..rule("lifecycle.init.not-cancelled", Level::Must)
};

fn not_cancelled(view: View<'_>) -> Verdict {
    view.every_exchange_by(Speaker::Subject)
        .filter(|exchange| exchange.is("initialize") && exchange.request().revision == Some(view.revision()))
        .filter(|exchange| exchange.cancellation().is_some() || exchange.fate() != Fate::Answered)
        .map(|exchange| match exchange.cancellation() {
            None => Ok(()),
            Some(cancelled) => Err(Breach::at(cancelled, "cancels initialize").after(exchange.request())),
        })
        .collect()
}

pub(super) static OFFERS_SUPPORTED: Rule = Rule {
    clause: NEGOTIATION,
    requires: "The version that a client asks for is one that it supports.",
    judged: "If the harness answers honestly with that same version, the client goes on. A client that hangs up instead \
             breaks the rule, unless a signal or an error of its own ended it of which its user was not told.",
    untested: "no `initialize` was answered with the version that it asked for",
    judge: offers_supported,
    ..rule("lifecycle.version.client-offers-supported", Level::Must)
};

fn offers_supported(view: View<'_>) -> Verdict {
    let Some(opening) = Opening::of(view) else { return Verdict::untested() };
    let Some(answer) = opening.success().filter(|answer| answer.intent == Intent::Honest) else {
        return Verdict::untested();
    };
    if opening.asked().is_none() || opening.asked() != opening.answered() {
        return Verdict::untested();
    }
    let failed = view.entries().iter().any(|entry| match entry.event {
        Event::Exited { code, signal, .. } => signal.is_some() || code != Some(0),
        _ => false,
    });
    let told = view.user().wishes.iter().any(|wish| wish.kind() == "connect" && wish.has_failed());
    let check = match (opening.initialized(), opening.hung_up()) {
        (Some(_), _) => Ok(()),
        (None, Some(entry)) if !failed || told => {
            let what = "hangs up on a server that agreed to the version it asked for";
            Err(Breach::at_entry(entry, what).after(answer))
        }
        _ => return Verdict::untested(),
    };
    [check].into_iter().collect()
}

pub(super) static OFFERS_LATEST: Rule = Rule {
    clause: NEGOTIATION,
    requires: "The version that a client asks for is the newest that it supports.",
    judged: "A client that goes on in a newer legacy version than it asked for supports that one: a warning, for the \
             clause speaks of the version asked for and not of the one accepted.",
    untested: "no `initialize` was answered with a newer legacy version than it asked for",
    judge: offers_latest,
    ..rule("lifecycle.version.client-offers-latest", Level::Should)
};

fn offers_latest(view: View<'_>) -> Verdict {
    let Some(opening) = Opening::of(view) else { return Verdict::untested() };
    let Some((asked, answered, answer)) = legacy_pair(&opening).filter(|(asked, answered, _)| answered > asked) else {
        return Verdict::untested();
    };
    let check = opening.initialized().map_or(Ok(()), |sent| {
        let what = format!("goes on in {answered} although it asked for {asked}");
        Err(Breach::at(sent, what).after(answer).as_warning())
    });
    [check].into_iter().collect()
}

/// The legacy version asked for, the one in the answer, and the answer.
fn legacy_pair<'s>(opening: &Opening<'s>) -> Option<(Revision, Revision, &'s Message<'s>)> {
    let legacy = |text: String| Revision::from_wire(&text).filter(|revision| revision.era() == Era::Legacy);
    Some((legacy(opening.asked()?)?, legacy(opening.answered()?)?, opening.success()?))
}

pub(super) static DISCONNECTS: Rule = Rule {
    clause: NEGOTIATION,
    requires: "A client hangs up on a server whose version it cannot speak.",
    judged: "Only versions that nobody can support and such that are no string count. The client neither goes on nor \
             stays connected until the harness ends the session. The schema says MUST where the page says SHOULD; the \
             weaker word counts.",
    untested: "no `initialize` was answered with a version that nobody can support",
    judge: disconnects,
    ..rule("lifecycle.version.client-disconnects", Level::Should)
};

fn disconnects(view: View<'_>) -> Verdict {
    let Some(opening) = Opening::of(view) else { return Verdict::untested() };
    let Some(answer) = opening.success() else { return Verdict::untested() };
    let version = opening.exchange.result().and_then(|result| result.member("protocolVersion"));
    let shown = match version {
        Some(version) if version.is_string() => opening.answered().filter(|version| never_released(version)),
        Some(version) => Some(version.raw().to_owned()),
        None => None,
    };
    let Some(shown) = shown else { return Verdict::untested() };
    let check = match (opening.goes_on(answer.entry), opening.stayed()) {
        (Some(message), _) => {
            let method = message.method().unwrap_or_default();
            Err(Breach::at(message, format!("goes on with {method} in version {shown}")).after(answer))
        }
        (None, Some(entry)) => {
            Err(Breach::at_entry(entry, format!("stays connected to a server of version {shown}")).after(answer))
        }
        (None, None) => Ok(()),
    };
    [check].into_iter().collect()
}

pub(super) static ACCEPTS_DOWNGRADE: Rule = Rule {
    clause: NEGOTIATION,
    requires: "A client goes on in the version of the server's answer if it supports that one.",
    judged: "It supports the revisions that control sessions saw it speak. What it says then is judged by the rules of \
             that revision. Only an honest answer counts: whoever hangs up on another one may do so because of what \
             else is wrong with it.",
    untested: "no `initialize` was answered honestly with another version that the client was seen to speak",
    judge: accepts_downgrade,
    ..rule("lifecycle.version.client-accepts-downgrade", Level::Should)
};

fn accepts_downgrade(view: View<'_>) -> Verdict {
    let Some(opening) = Opening::of(view) else { return Verdict::untested() };
    let known = |revision: &Revision| view.facts().revisions.contains(revision);
    let Some((asked, answered, answer)) = legacy_pair(&opening)
        .filter(|(asked, answered, answer)| asked != answered && known(answered) && answer.intent == Intent::Honest)
    else {
        return Verdict::untested();
    };
    let check = match (opening.initialized(), opening.hung_up()) {
        (Some(_), _) => Ok(()),
        (None, Some(entry)) => {
            let what =
                format!("hangs up on {answered}, which it spoke in another session, because it asked for {asked}");
            Err(Breach::at_entry(entry, what).after(answer))
        }
        (None, None) => return Verdict::untested(),
    };
    [check].into_iter().collect()
}

pub(super) static CLOSES_STDIN_FIRST: Rule = Rule {
    revisions: Revisions::ALL,
    transports: Transports::STDIO,
    clause: "2026-07-28/basic/transports/stdio#shutdown",
    requires: "To end a session a client closes the server's input first, and sends signals only later.",
    judged: "A signal before the end of the input breaks the rule, and so does one to a server that is gone by then. A \
             client that never ends the session is not judged.",
    untested: "the client never ended the session by itself",
    judge: closes_stdin_first,
    ..rule("lifecycle.shutdown.client-closes-stdin-first", Level::Should)
};

fn closes_stdin_first(view: View<'_>) -> Verdict {
    if !view.is_of_the_run() || view.subject_side() != Side::Client {
        return Verdict::untested();
    }
    let over = |event: &Event| matches!(event, Event::Ended | Event::Signalled { .. } | Event::Closed | Event::Killed);
    let Some((entry, first)) = view.entries().iter().enumerate().find(|(_, entry)| over(&entry.event)) else {
        return Verdict::untested();
    };
    let check = match first.event {
        Event::Ended => Ok(()),
        Event::Signalled { signal } => {
            Err(Breach::at_entry(entry, format!("sends its server signal {signal} while the input is still open")))
        }
        _ => return Verdict::untested(),
    };
    [check].into_iter().collect()
}
