//! The status of a task from its beginning to its end, and what else is said of it.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use super::{MOST, ONLY_11, Sighting, Source, UNTESTED, declares, related, sightings, target};
use crate::revision::code;
use crate::rules::{Breach, Check, Level, Rule, Transports, Verdict};
use crate::session::{Exchange, Message, Phase, View};
use crate::wire::Value;

pub(super) static STATUS_TRANSITIONS: Rule = Rule {
    id: "tasks.receiver.status-transitions",
    level: Level::Must,
    side: None,
    revisions: ONLY_11,
    transports: Transports::BOTH,
    clause: "2025-11-25/basic/utilities/tasks#task-status-lifecycle",
    requires: "A task that is completed, failed or cancelled stays so.",
    judged: "What is said of a task in answers to requests that were sent after it was said to have ended. A task that is \
             gone by then is fine, and until the end every status may follow every other.",
    untested: "nobody asked again for a task that had ended",
    judge: status_transitions,
};

fn status_transitions(view: View<'_>) -> Verdict {
    let sightings = sightings(view);
    let mut ended: HashMap<Cow<'_, str>, &Sighting<'_>> = HashMap::new();
    let mut checks: Vec<Check> = Vec::new();
    for sighting in &sightings {
        let (Some(id), Some(status)) = (sighting.id(), sighting.task.member("status")) else { continue };
        let before = ended.get(&id).filter(|end| end.message.entry < sighting.since);
        // A notice may have waited behind something newer.
        if let Some(end) = before.filter(|_| sighting.source != Source::Noticed) {
            let same = end.task.member("status").is_some_and(|own| own.same(status));
            let what = "gives another status to a task that had ended";
            checks.push(if same { Ok(()) } else { Err(Breach::at(sighting.message, what).after(end.message)) });
        } else if sighting.is_terminal() {
            ended.entry(id).or_insert(sighting);
        }
    }
    checks.into_iter().collect()
}

pub(super) static UNKNOWN_TASK: Rule = Rule {
    id: "tasks.receiver.unknown-task",
    level: Level::Must,
    side: None,
    revisions: ONLY_11,
    transports: Transports::BOTH,
    clause: "2025-11-25/basic/utilities/tasks#protocol-errors",
    requires: "Requests about a task that does not exist get -32602.",
    judged: "tasks/get, tasks/result and tasks/cancel with an id that the server never gave, on servers that declare tasks, \
             and tasks.cancel for the last one. For an id that is no string another code is a warning, since such a request \
             is malformed in the first place.",
    untested: "the server declares no tasks, or nobody asked for one that does not exist",
    judge: unknown_task,
};

fn unknown_task(view: View<'_>) -> Verdict {
    let declared = |method: &str| match method {
        "tasks/get" | "tasks/result" => declares(view, &["requests"]) == Some(true),
        "tasks/cancel" => declares(view, &["cancel"]) == Some(true),
        _ => false,
    };
    let known: HashSet<Cow<'_, str>> = sightings(view).iter().filter_map(Sighting::id).collect();
    view.exchanges()
        .filter(|exchange| declared(exchange.method()) && exchange.request().is_sound())
        .filter(|exchange| exchange.request().phase == Phase::Operating)
        .filter(|exchange| exchange.param("taskId").is_some_and(|id| id.as_str().is_none_or(|id| !known.contains(&id))))
        .filter_map(|exchange| {
            let answer = exchange.answer()?;
            let what = match exchange.error_code() {
                Some(code::INVALID_PARAMS) => return Some(Ok(())),
                Some(other) => format!("answers {} for a task that does not exist with {other}", exchange.method()),
                None if answer.is_success() => format!("answers {} for a task that does not exist", exchange.method()),
                None => return None,
            };
            let malformed = exchange.error_code().is_some() && target(exchange).is_none();
            let breach = Breach::at(answer, what).after(exchange.request());
            Some(Err(if malformed { breach.as_warning() } else { breach }))
        })
        .collect()
}

pub(super) static ID_PARAMETER_WINS: Rule = Rule {
    id: "tasks.receiver.id-parameter-wins",
    level: Level::Must,
    side: None,
    revisions: ONLY_11,
    transports: Transports::BOTH,
    clause: "2025-11-25/basic/utilities/tasks#associating-task-related-messages",
    requires: "The parameter taskId names the task, whatever the metadata says.",
    judged: "tasks/get for one task with metadata that name another. An error, or silence until the deadline, is a breach \
             where the same request without the metadata succeeds before and afterwards.",
    untested: "nobody asked for one task in the name of another",
    judge: id_parameter_wins,
};

fn id_parameter_wins(view: View<'_>) -> Verdict {
    let gets: Vec<Exchange<'_>> = view.exchanges().filter(|exchange| exchange.is("tasks/get")).take(MOST).collect();
    gets.iter()
        .filter_map(|exchange| {
            let (id, other) = (target(*exchange)?, related(exchange.request())?);
            if id == other || (exchange.answer().is_none() && !exchange.is_overdue()) {
                return None;
            }
            let breach = |what: &str| {
                let request = exchange.request();
                Some(Err(exchange
                    .answer()
                    .map_or_else(|| Breach::at(request, what), |answer| Breach::at(answer, what).after(request))))
            };
            if let Some(result) = exchange.result() {
                let own = result.member("taskId").is_some_and(|own| own.is(&id));
                return if own { Some(Ok(())) } else { breach("answers about the task in the metadata") };
            }
            let plain = |one: &&Exchange<'_>| {
                one.result().is_some() && related(one.request()).is_none() && target(**one).as_ref() == Some(&id)
            };
            let entry = exchange.request().entry;
            let before = gets.iter().filter(plain).any(|one| one.request().entry < entry);
            let after = gets.iter().filter(plain).any(|one| one.request().entry > entry);
            (before && after).then(|| breach("serves a task or not by the metadata of the request")).flatten()
        })
        .collect()
}

pub(super) static LIST: Rule = Rule {
    id: "tasks.receiver.list",
    level: Level::Must,
    side: None,
    revisions: ONLY_11,
    transports: Transports::BOTH,
    clause: "2025-11-25/basic/utilities/tasks#task-listing",
    requires: "tasks/list has every task that tasks/get knows, and refuses cursors that are not its own by -32602.",
    judged: "Servers that declare tasks.list. A task is missed on a walk through all pages if tasks/get knew it before and \
             after the walk.",
    untested: "the server does not declare tasks.list, or its tasks were not listed to the end",
    judge: list,
};

fn list(view: View<'_>) -> Verdict {
    if declares(view, &["list"]) != Some(true) {
        return Verdict::untested();
    }
    let gets: Vec<(usize, Cow<'_, str>)> = sightings(view)
        .iter()
        .filter(|sighting| sighting.source == Source::Got)
        .filter_map(|sighting| Some((sighting.message.entry, sighting.id()?)))
        .collect();
    let mut given: HashSet<Cow<'_, str>> = HashSet::new();
    let mut checks: Vec<Check> = Vec::new();
    let mut walk: Option<Walk<'_>> = None;
    for exchange in view.exchanges().filter(|exchange| exchange.is("tasks/list")).take(MOST) {
        let Some(answer) = exchange.answer() else { continue };
        let breach = |what: &str| Err(Breach::at(answer, what).after(exchange.request()));
        let cursor = exchange.param("cursor").map(|cursor| cursor.as_str().unwrap_or(Cow::Borrowed(cursor.raw())));
        if let Some(cursor) = &cursor
            && !given.contains(cursor)
        {
            checks.extend(match exchange.error_code() {
                Some(code::INVALID_PARAMS) => Some(Ok(())),
                // The meaning of an empty cursor is open.
                _ if cursor.is_empty() => None,
                Some(_) => Some(breach("refuses a cursor that is not its own with another code than -32602")),
                None => Some(breach("takes a cursor that is not its own")),
            });
            continue;
        }
        let Some(tasks) = exchange.result().and_then(|result| result.member("tasks")).filter(|tasks| tasks.is_array())
        else {
            checks.push(breach("declares tasks.list and does not list its tasks"));
            walk = None;
            continue;
        };
        let mut current = match walk.take() {
            Some(walk) if cursor.is_some() && walk.next == cursor => walk,
            _ if cursor.is_some() => continue,
            _ => Walk { start: exchange.request().entry, ids: HashSet::new(), next: None },
        };
        current.ids.extend(tasks.items().filter_map(|task| task.member("taskId")?.as_str()));
        current.next = exchange.result().and_then(|result| result.member("nextCursor")).and_then(Value::as_str);
        given.extend(current.next.clone());
        if current.next.is_some() {
            walk = Some(current);
            continue;
        }
        let lasting = gets.iter().filter(|(entry, _)| *entry < current.start).map(|(_, id)| id);
        let lasting = lasting.filter(|id| gets.iter().any(|(entry, again)| *entry > answer.entry && again == *id));
        let mut lasting = lasting.peekable();
        if lasting.peek().is_some() {
            let all = lasting.all(|id| current.ids.contains(id));
            checks.push(if all { Ok(()) } else { breach("does not list a task that it knows") });
        }
    }
    checks.into_iter().collect()
}

struct Walk<'s> {
    start: usize,
    ids: HashSet<Cow<'s, str>>,
    next: Option<Cow<'s, str>>,
}

pub(super) static RESPONSE_FIELDS: Rule = Rule {
    id: "tasks.receiver.response-fields",
    level: Level::Must,
    side: None,
    revisions: ONLY_11,
    transports: Transports::BOTH,
    clause: "2025-11-25/basic/utilities/tasks#ttl-and-resource-management",
    requires: "Whatever describes a task has its id, status, both times and its time to live.",
    judged: "Tasks in answers and in status notifications. The times have to begin like 2025-11-25T10:30:00; the creation \
             stays what it was, and the last update does not go back between requests in series. ttl is a number or null; \
             statusMessage and pollInterval are optional.",
    untested: UNTESTED,
    judge: response_fields,
};

fn response_fields(view: View<'_>) -> Verdict {
    let sightings = sightings(view);
    let mut last: HashMap<Cow<'_, str>, &Sighting<'_>> = HashMap::new();
    sightings
        .iter()
        .map(|sighting| {
            let breach = |what: &str| Breach::at(sighting.message, what);
            if let Some(what) = wrong_field(sighting.task) {
                return Err(breach(what));
            }
            let before = sighting.id().and_then(|id| last.insert(id, sighting));
            let Some(before) = before else { return Ok(()) };
            if differs(before.task, sighting.task, "createdAt", |one, other| one != other) {
                return Err(breach("gives a task another time of creation").after(before.message));
            }
            let in_series = before.message.entry < sighting.since;
            if in_series && differs(before.task, sighting.task, "lastUpdatedAt", |one, other| other < one) {
                return Err(breach("sets the last update of a task back").after(before.message));
            }
            Ok(())
        })
        .collect()
}

/// Whether two times that are written in the same way compare like this. Other spellings are left alone.
fn differs(one: Value<'_>, other: Value<'_>, key: &str, how: fn(&str, &str) -> bool) -> bool {
    let time = |task: Value<'_>| task.member(key).and_then(Value::as_str).map(Cow::into_owned);
    let (Some(one), Some(other)) = (time(one), time(other)) else { return false };
    let alike = one.len() == other.len() && one.ends_with('Z') && other.ends_with('Z');
    alike && how(&one, &other)
}

fn wrong_field(task: Value<'_>) -> Option<&'static str> {
    const KNOWN: [&str; 5] = ["working", "input_required", "completed", "failed", "cancelled"];
    let is_time = |key: &str| task.member(key).and_then(Value::as_str).is_some_and(|text| is_time(&text));
    let optional = |key: &str, fits: bool| task.member(key).is_some() && !fits;
    let is = |key: &str, test: fn(&Value<'_>) -> bool| task.member(key).is_some_and(|value| test(&value));
    if !is("taskId", |id| id.is_string()) {
        Some("describes a task without an id that is a string")
    } else if !KNOWN.iter().any(|known| task.member("status").is_some_and(|own| own.is(known))) {
        Some("describes a task without one of the five statuses")
    } else if !is_time("createdAt") {
        Some("describes a task without the time of its creation")
    } else if !is_time("lastUpdatedAt") {
        Some("describes a task without the time of its last update")
    } else if !is("ttl", |ttl| ttl.is_number() || ttl.is_null()) {
        Some("describes a task without a ttl that is a number or null")
    } else if optional("statusMessage", is("statusMessage", |text| text.is_string())) {
        Some("describes a task with a statusMessage that is no string")
    } else {
        optional("pollInterval", is("pollInterval", |number| number.is_number()))
            .then_some("describes a task with a pollInterval that is no number")
    }
}

/// Whether a text begins like a moment in ISO 8601, in the extended form.
fn is_time(text: &str) -> bool {
    const SHAPE: &[u8] = b"0000-00-00T00:00";
    text.len() >= SHAPE.len()
        && text.bytes().zip(SHAPE).all(|(byte, shape)| match shape {
            b'0' => byte.is_ascii_digit(),
            b'T' => matches!(byte, b'T' | b't' | b' '),
            other => byte == *other,
        })
}

/// The entry of the first answer that shows a task to have ended.
pub(super) fn end_of<'s>(sightings: &'s [Sighting<'s>], id: &str) -> Option<&'s Message<'s>> {
    sightings.iter().find(|sighting| sighting.is(id) && sighting.is_terminal()).map(|sighting| sighting.message)
}
