//! tools/list.

use std::borrow::Cow;
use std::collections::HashSet;

use super::offer::{self, Walk};
use crate::revision::{Revision, Revisions, Side};
use crate::rules::{Breach, Check, Level, Rule, Transports, Verdict};
use crate::session::{Message, View};
use crate::wire::Value;

const NO_LIST: &str = "no tools were listed; the server must declare tools and answer tools/list";

pub(super) static DETERMINISTIC_ORDER: Rule = Rule {
    id: "tools.list.deterministic-order",
    level: Level::Should,
    side: Some(Side::Server),
    revisions: Revisions::MODERN,
    transports: Transports::BOTH,
    clause: "2026-07-28/server/tools#capabilities",
    requires: "tools/list keeps its order while the set of tools is unchanged.",
    judged: "Each listing is compared with the one before, and the first with that of the control session, if both name the \
             same tools and nothing announced a change between them. Listings of fewer than two tools have no order.",
    untested: "no unchanged set of two or more tools was listed twice",
    judge: deterministic_order,
};

fn deterministic_order(view: View<'_>) -> Verdict {
    let walks = offer::walks(view);
    let changes = offer::changes(view);
    let control = view.facts().lists.get("tools/list").filter(|_| view.is_of_the_run());
    let mut earlier: Option<(usize, Vec<&str>, Option<&Message<'_>>)> =
        control.map(|names| (0, names.iter().map(String::as_str).collect(), None));
    let mut verdict = Vec::new();
    for walk in &walks {
        let names: Vec<&str> = walk.names.iter().map(|name| &**name).collect();
        let (first, last) = walk.span();
        if let Some((since, before, answer)) = &earlier {
            let announced = offer::changed(&changes, *since, last);
            if names.len() > 1 && !announced && sorted(&names) == sorted(before) {
                verdict.push(order(walk, &names, before, *answer));
            }
        }
        earlier = Some((first, names, walk.last()));
    }
    verdict.into_iter().collect()
}

fn order(walk: &Walk<'_>, names: &[&str], before: &[&str], earlier: Option<&Message<'_>>) -> Check {
    let Some(answer) = walk.last() else { return Ok(()) };
    let Some((now, then)) = names.iter().zip(before).find(|(now, then)| now != then) else { return Ok(()) };
    let breach = Breach::at(answer, format!("lists {now:?} where the same tools were listed with {then:?} before"));
    Err(match earlier {
        Some(earlier) => breach.after(earlier),
        None => breach,
    })
}

fn sorted<'n>(names: &[&'n str]) -> Vec<&'n str> {
    let mut names = names.to_vec();
    names.sort_unstable();
    names
}

pub(super) static ITEM_FIELDS: Rule = Rule {
    id: "tools.list.item-fields",
    level: Level::Must,
    side: Some(Side::Server),
    revisions: Revisions::ALL,
    transports: Transports::BOTH,
    clause: "schema/2026-07-28/schema.ts#Tool",
    requires: "A list of tools is an array of objects, each with a name and an inputSchema whose type is \"object\".",
    judged: "The type is required in every revision, for tools without parameters and beside composition keywords too. \
             Description, title, icons and annotations are optional, and unknown members are allowed.",
    untested: NO_LIST,
    judge: item_fields,
};

fn item_fields(view: View<'_>) -> Verdict {
    let mut seen = HashSet::new();
    let mut checks: Vec<Check> = Vec::new();
    for (exchange, member) in view.lists().filter(|(exchange, _)| exchange.is("tools/list")) {
        let Some((answer, result)) = exchange.answer().zip(exchange.result()) else { continue };
        match result.member(member) {
            Some(tools) if tools.is_array() => {
                let new = tools.items().filter(|tool| seen.insert(tool.raw()));
                checks.extend(new.map(|tool| well_formed(tool).map_err(|what| Breach::at(answer, what))));
            }
            Some(other) => checks.push(Err(Breach::at(answer, format!("lists tools as {}", other.brief())))),
            None => checks.push(Err(Breach::at(answer, "answers tools/list without the member tools"))),
        }
    }
    checks.into_iter().collect()
}

fn well_formed(tool: Value<'_>) -> Result<(), String> {
    if !tool.is_object() {
        return Err(format!("lists {} as a tool", tool.brief()));
    }
    let name = match tool.member("name") {
        Some(name) if name.is_string() => name.brief(),
        Some(other) => return Err(format!("lists a tool with the name {}", other.brief())),
        None => return Err("lists a tool without a name".to_owned()),
    };
    match tool.member("inputSchema") {
        None => Err(format!("lists the tool {name} without inputSchema")),
        Some(schema) if !schema.is_object() => {
            Err(format!("lists the tool {name} with the inputSchema {}", schema.brief()))
        }
        Some(schema) => match schema.member("type") {
            Some(kind) if kind.is("object") => Ok(()),
            Some(kind) => Err(format!("lists the tool {name} with an inputSchema of the type {}", kind.brief())),
            None => Err(format!("lists the tool {name} with an inputSchema without type")),
        },
    }
}

pub(super) static OUTPUT_SCHEMA_ROOT: Rule = Rule {
    id: "tools.output-schema.object-root",
    level: Level::Must,
    side: Some(Side::Server),
    revisions: Revisions::range(Revision::V2025_06_18, Revision::V2025_11_25),
    transports: Transports::BOTH,
    clause: "schema/2025-11-25/schema.ts#Tool",
    requires: "An outputSchema describes an object at its root.",
    judged: "Its type must be \"object\". 2026-07-28 lifts this, and before 2025-06-18 the member means nothing.",
    untested: "no tool with an outputSchema was listed",
    judge: output_schema_root,
};

fn output_schema_root(view: View<'_>) -> Verdict {
    tools(view)
        .filter_map(|(answer, tool)| Some((answer, tool, tool.member("outputSchema")?)))
        .map(|(answer, tool, schema)| match schema.member("type") {
            Some(kind) if kind.is("object") => Ok(()),
            Some(kind) => {
                let (name, kind) = (name_of(tool), kind.brief());
                Err(Breach::at(answer, format!("lists the tool {name} with an outputSchema of the type {kind}")))
            }
            None => {
                let name = name_of(tool);
                Err(Breach::at(answer, format!("lists the tool {name} with an outputSchema without type")))
            }
        })
        .collect()
}

pub(super) static NAME_FORMAT: Rule = Rule {
    id: "tools.name.format",
    level: Level::Should,
    side: Some(Side::Server),
    revisions: Revisions::since(Revision::V2025_11_25),
    transports: Transports::BOTH,
    clause: "2026-07-28/server/tools#tool-names",
    requires: "Tool names have 1 to 128 characters out of ASCII letters, digits, underscore, hyphen and dot.",
    judged: "Another name is a warning and never fails anyone.",
    untested: NO_LIST,
    judge: name_format,
};

fn name_format(view: View<'_>) -> Verdict {
    tools(view)
        .filter_map(|(answer, tool)| Some((answer, tool.member("name")?.as_str()?)))
        .map(|(answer, name)| {
            let usual = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte);
            if (1..=128).contains(&name.len()) && name.bytes().all(usual) {
                return Ok(());
            }
            let shown: String = name.chars().take(140).collect();
            Err(Breach::at(answer, format!("lists a tool with the unusual name {shown:?}")).as_warning())
        })
        .collect()
}

pub(super) static NAME_UNIQUE: Rule = Rule {
    id: "tools.name.unique",
    level: Level::Should,
    side: Some(Side::Server),
    revisions: Revisions::since(Revision::V2025_11_25),
    transports: Transports::BOTH,
    clause: "2026-07-28/server/tools#tool-names",
    requires: "Tool names are unique within a server.",
    judged: "The names of one walk through the pages are compared exactly; names that differ in case are different. A walk \
             during which a change of the list was announced is left out.",
    untested: NO_LIST,
    judge: name_unique,
};

fn name_unique(view: View<'_>) -> Verdict {
    let changes = offer::changes(view);
    let changed = |(first, last)| offer::changed(&changes, first, last);
    let walks = offer::walks(view);
    let mut known: HashSet<Vec<Cow<'_, str>>> = HashSet::new();
    walks
        .into_iter()
        .filter(|walk| !walk.names.is_empty() && !changed(walk.span()) && known.insert(walk.names.clone()))
        .map(|walk| {
            let mut seen = HashSet::new();
            let twice = walk.names.iter().find(|name| !seen.insert(&***name));
            match twice.zip(walk.last()) {
                Some((name, answer)) => Err(Breach::at(answer, format!("lists the tool {name:?} more than once"))),
                None => Ok(()),
            }
        })
        .collect()
}

/// Every tool that was listed, equal ones once.
fn tools<'s>(view: View<'s>) -> impl Iterator<Item = (&'s Message<'s>, Value<'s>)> {
    let mut seen = HashSet::new();
    view.listed("tools/list").filter(move |(_, tool)| tool.is_object() && seen.insert(tool.raw()))
}

fn name_of(tool: Value<'_>) -> String {
    tool.member("name").map_or_else(|| "without name".to_owned(), Value::brief)
}
