//! JSON-RPC messages that share their ids, and texts that are none.

use arbitrary::{Result, Unstructured};
use serde_json::{Map, Value as Json, json};

use super::damage::{anything, damage};
use super::sample::{self, Sample};
use super::{bytes, few, once_in};
use crate::revision::{Era, Revision, Side, meta};

/// JSON texts of ids, some of them equal to each other and some merely alike.
const IDS: &[&str] = &[
    "1",
    "2",
    "3",
    "\"1\"",
    "\"a\"",
    "1.0",
    "10e-1",
    "null",
    "\"\"",
    "-1",
    "9007199254740993",
    "1e400",
    "[]",
    "{}",
    "true",
    r#""\u0031""#,
    r#""\ud800""#,
    r#"{"$serde_json::private::Number":"1"}"#,
];

/// Says things, and remembers what was asked so that answers can fit.
pub(super) struct Talk {
    pub(super) revision: Revision,
    /// Who asked what under which id, newest last.
    asked: Vec<(Side, String, &'static Sample)>,
}

impl Talk {
    pub(super) fn new(revision: Revision) -> Self {
        Self { revision, asked: Vec::new() }
    }

    /// Something that this side says.
    pub(super) fn text(&mut self, u: &mut Unstructured<'_>, by: Side) -> Result<Vec<u8>> {
        Ok(match u.int_in_range(0..=23)? {
            0 => bytes(u, 24)?,
            1 => anything(u, None, 3)?.to_string().into_bytes(),
            2 => {
                let mut batch = Vec::new();
                for _ in 0..few(u, 6)? {
                    batch.push(self.message(u, by)?);
                }
                format!("[{}]", batch.join(",")).into_bytes()
            }
            3 => {
                let mut bytes = self.message(u, by)?.into_bytes();
                mangle(u, &mut bytes)?;
                bytes
            }
            _ => self.message(u, by)?.into_bytes(),
        })
    }

    /// The text of a message, mostly plausible.
    pub(super) fn message(&mut self, u: &mut Unstructured<'_>, by: Side) -> Result<String> {
        let id = id(u)?;
        let answers = u.int_in_range(0..=4)? < 2;
        let open = self.asked.iter().rposition(|(side, ..)| *side != by);
        if let Some(index) = open.filter(|_| answers) {
            let index = if once_in(u, 4)? { u.choose_index(self.asked.len())? } else { index };
            let (_, asked, sample) = self.asked[index].clone();
            if !once_in(u, 6)? {
                self.asked.remove(index);
            }
            let id = if once_in(u, 12)? { id.to_owned() } else { asked };
            return answer(u, &id, sample);
        }
        if answers && once_in(u, 4)? {
            let sample = u.choose(sample::by(by.other()))?;
            return answer(u, id, sample);
        }
        let sample = u.choose(sample::by(by))?;
        let mut message = Map::new();
        message.insert("jsonrpc".to_owned(), json!("2.0"));
        message.insert("method".to_owned(), json!(sample.method));
        message.extend(self.params(u, by, sample)?.map(|params| ("params".to_owned(), params)));
        let odd = once_in(u, 20)?;
        if sample.result.is_none() == odd {
            self.asked.push((by, id.to_owned(), sample));
            return finished(u, message, Some(id));
        }
        finished(u, message, None)
    }

    fn params(&self, u: &mut Unstructured<'_>, by: Side, sample: &Sample) -> Result<Option<Json>> {
        let mut params = sample.params.clone();
        if sample.method == "initialize"
            && let Some(params) = &mut params
        {
            params["protocolVersion"] = json!(self.revision.as_str());
        }
        let modern = (self.revision.era() == Era::Modern) != once_in(u, 10)?;
        if by == Side::Client && modern && sample.result.is_some() {
            let params = params.get_or_insert_with(|| json!({}));
            params["_meta"][meta::PROTOCOL_VERSION] = json!(self.revision.as_str());
            params["_meta"][meta::CLIENT_CAPABILITIES] = json!({"elicitation": {}});
        }
        // Cancellations and progress are of interest only where they meet a request.
        let about = ["requestId", "progressToken"];
        if let Some(members) = params.as_mut().and_then(Json::as_object_mut) {
            for key in about.into_iter().filter(|key| members.contains_key(*key)).collect::<Vec<_>>() {
                let id = serde_json::from_str(id(u)?).unwrap_or(Json::Null);
                members.insert(key.to_owned(), id);
            }
        }
        Ok(params)
    }
}

/// The JSON text of an id; mostly one of a few small ones.
pub(super) fn id(u: &mut Unstructured<'_>) -> Result<&'static str> {
    let most = if once_in(u, 4)? { IDS.len() } else { 5 };
    Ok(IDS[u.choose_index(most)?])
}

fn answer(u: &mut Unstructured<'_>, id: &str, sample: &Sample) -> Result<String> {
    let mut message = Map::new();
    message.insert("jsonrpc".to_owned(), json!("2.0"));
    if once_in(u, 5)? {
        let codes = [-32700, -32600, -32601, -32602, -32603, -32002, -32042, -32020, -32021, -32022, 0];
        let data = json!({"supported": ["2026-07-28"], "requested": "1", "requiredCapabilities": {"sampling": {}}});
        let error = json!({"code": u.choose(&codes)?, "message": "m", "data": data});
        message.insert("error".to_owned(), error);
    }
    if !message.contains_key("error") || once_in(u, 20)? {
        message.insert("result".to_owned(), sample.result.clone().unwrap_or_else(|| json!({})));
    }
    finished(u, message, Some(id))
}

/// The text of a message after its damage. Ids and repeated keys are put in as text, for no tree holds them all.
fn finished(u: &mut Unstructured<'_>, message: Map<String, Json>, id: Option<&str>) -> Result<String> {
    let mut message = Json::Object(message);
    if once_in(u, 3)? {
        let times = few(u, 8)?;
        damage(u, &mut message, times)?;
    }
    let mut text = message.to_string();
    let mut add = |member: &str| {
        if text.len() > 2 && text.ends_with('}') {
            text.insert_str(1, &format!("{member},"));
        }
    };
    if let Some(id) = id {
        add(&format!("\"id\":{id}"));
    }
    if once_in(u, 30)? {
        add(u.choose(&[
            r#""id":2"#,
            r#""jsonrpc":2.0"#,
            r#""\u006dethod":"ping""#,
            r#""result":{}"#,
            r#""params":[]"#,
        ])?);
    }
    Ok(text)
}

/// Cuts, doubles or overwrites some bytes.
fn mangle(u: &mut Unstructured<'_>, bytes: &mut Vec<u8>) -> Result<()> {
    if bytes.is_empty() {
        return Ok(());
    }
    let at = u.choose_index(bytes.len())?;
    match u.int_in_range(0..=3)? {
        0 => bytes.truncate(at),
        1 => bytes[at] = u.arbitrary()?,
        2 => bytes.insert(at, u.arbitrary()?),
        _ => bytes.extend_from_within(at..),
    }
    Ok(())
}
