//! Tasks of 2025-11-25: calls whose answer is fetched later.
//!
//! A task is an ordinary call under an id that no client can send; what would answer that id becomes its outcome.

use std::time::Duration;

use serde_json::{Value, json};

use super::Outbox;
use super::fault::Fault;
use super::incoming::RequestId;
use super::legacy::Call;
use super::message::{Failure, Object, object};
use super::server::{Answer, Occasion, Server};
use super::{fixture, tools};
use crate::revision::{Revision, code, meta};

/// More tasks at a time are refused.
const MOST: usize = 48;
/// The longest that a task is kept after its end, in milliseconds.
const LONGEST: u64 = 3_600_000;

/// A call that became a task.
#[derive(Clone, Debug)]
pub(super) struct Task {
    pub(super) id: String,
    /// The id under which the call runs.
    inner: RequestId,
    created: Duration,
    updated: Duration,
    ttl: u64,
    /// The params of the call, until it begins.
    due: Option<Object>,
    outcome: Option<Outcome>,
    /// Requests for the result that came too early.
    waiting: Vec<RequestId>,
}

#[derive(Clone, Debug)]
struct Outcome {
    status: &'static str,
    answer: Result<Object, Failure>,
}

impl Task {
    /// The moment at which the call begins, if it has not.
    pub(super) fn begins(&self) -> Option<Duration> {
        self.due.is_some().then_some(self.created)
    }

    /// Whether this request waits for its result.
    pub(super) fn is_awaited_by(&self, id: &RequestId) -> bool {
        self.waiting.iter().any(|waiting| waiting.same(id))
    }

    /// Whether its status will not change any more.
    pub(super) fn has_ended(&self) -> bool {
        self.outcome.is_some()
    }
}

/// What a tool says of tasks; nothing for most of them.
pub(super) fn support(tool: &str) -> Option<&'static str> {
    match tool {
        fixture::ECHO | fixture::FAIL | fixture::SLOW | fixture::ASK_USER => Some("optional"),
        fixture::TASK_ONLY => Some("required"),
        fixture::ADD => Some("forbidden"),
        _ => None,
    }
}

/// The metadata of a message that belongs to a task.
fn related(id: &str) -> Value {
    json!({meta::RELATED_TASK: {"taskId": id}})
}

impl Server {
    /// Whether a request is a call that asks to become a task, on a server that has them.
    pub(super) fn augments(&self, call: &Call<'_>) -> bool {
        call.method == "tools/call"
            && call.revision == Revision::V2025_11_25
            && self.offers("tasks")
            && call.params.get("task").is_some_and(Value::is_object)
    }

    /// Makes a task of a call. The call begins only after the task was announced.
    pub(super) fn make_task(&mut self, call: &Call<'_>, out: &mut Outbox) -> Answer {
        let known = call.params.get("name").and_then(Value::as_str).and_then(|name| self.tool(call.revision, name));
        let Some(tool) = known else { return self.serve(call, out) };
        let forbidden = !matches!(support(tool.name), Some("optional" | "required"));
        if forbidden && !self.faulty(Fault::MakesTasksOfAnything) {
            return Err(Failure::new(code::METHOD_NOT_FOUND, "this tool cannot be called as a task"));
        }
        if self.faulty(Fault::RunsTasksAtOnce) {
            return self.serve(call, out);
        }
        if self.tasks.len() >= MOST {
            return Err(Failure::new(code::INTERNAL_ERROR, "too many tasks are kept"));
        }
        self.tasks_so_far += 1;
        let asked = call.params.get("task").and_then(|task| task.get("ttl")).and_then(Value::as_u64);
        let task = Task {
            id: format!("task-{}", self.tasks_so_far),
            inner: RequestId::inner(self.tasks_so_far),
            created: call.now,
            updated: call.now,
            ttl: asked.unwrap_or(LONGEST).min(LONGEST),
            due: Some(call.params.clone()),
            outcome: None,
            waiting: Vec::new(),
        };
        let described = self.describe(&task);
        self.tasks.push(task);
        Ok(Some(object(json!({"task": described}))))
    }

    /// Begins the call of a task.
    pub(super) fn begin_task(&mut self, position: usize, out: &mut Outbox) {
        let Some(task) = self.tasks.get_mut(position) else { return };
        let Some(params) = task.due.take() else { return };
        let id = task.inner.clone();
        let client = self.session.as_ref().map(|session| session.client).unwrap_or_default();
        let revision = Revision::V2025_11_25;
        let call = Call { now: self.now, id: &id, revision, method: "tools/call", params: &params, client, log: None };
        let answer = self.concerning(Some(id.clone()), |server| server.call_tool(&call, out));
        self.answer(&id, call.occasion(), answer, out);
    }

    /// Takes what answers the call of a task for its outcome.
    pub(super) fn conclude_task(&mut self, id: &RequestId, occasion: Occasion<'_>, answer: Answer, out: &mut Outbox) {
        let answer = match answer {
            Ok(Some(mut result)) => {
                self.dress(occasion, &mut result);
                Ok(result)
            }
            Ok(None) => return,
            Err(failure) => Err(failure),
        };
        let failed = answer.as_ref().map_or(true, |result| result.get("isError") == Some(&Value::Bool(true)));
        self.end_task(id, if failed { "failed" } else { "completed" }, answer, out);
    }

    fn end_task(&mut self, id: &RequestId, status: &'static str, answer: Result<Object, Failure>, out: &mut Outbox) {
        let now = self.now;
        let Some(task) = self.tasks.iter_mut().find(|task| task.inner.same(id) && !task.has_ended()) else { return };
        task.outcome = Some(Outcome { status, answer });
        task.updated = now;
        let waiting = std::mem::take(&mut task.waiting);
        let task = task.clone();
        let described = Value::Object(self.describe(&task));
        self.concerning(None, |server| {
            server.notify(Revision::V2025_11_25, "notifications/tasks/status", Some(described), out);
        });
        for request in waiting {
            let occasion = Occasion { revision: Revision::V2025_11_25, method: "tasks/result", name: "" };
            let payload = payload(&task);
            self.answer(&request, occasion, payload, out);
        }
    }

    /// Serves the methods that are about tasks.
    pub(super) fn serve_task(&mut self, call: &Call<'_>, out: &mut Outbox) -> Answer {
        let now = self.now;
        self.tasks.retain(|task| !task.has_ended() || now < task.created + Duration::from_millis(task.ttl));
        if self.tampers()
            && let Some(answer) = self.mistreats_task(call)
        {
            return answer;
        }
        if call.method == "tasks/list" {
            let all: Vec<Value> = self.tasks.iter().map(|task| Value::Object(self.describe(task))).collect();
            return self.page(call, "tasks", all.iter().collect());
        }
        let id = call.text("taskId")?;
        let unknown = || Failure::new(code::INVALID_PARAMS, "there is no such task");
        let position = self.tasks.iter().position(|task| task.id == id).ok_or_else(unknown)?;
        match call.method {
            "tasks/get" => Ok(Some(self.describe(&self.tasks[position]))),
            "tasks/result" => {
                let task = &mut self.tasks[position];
                if task.has_ended() {
                    return payload(task);
                }
                if task.waiting.len() >= MOST {
                    return Err(Failure::new(code::INTERNAL_ERROR, "too many requests wait for this result"));
                }
                task.waiting.push(call.id.clone());
                Ok(None)
            }
            _ => self.cancel_task(position, out),
        }
    }

    fn cancel_task(&mut self, position: usize, out: &mut Outbox) -> Answer {
        let task = &self.tasks[position];
        if task.has_ended() {
            return Err(Failure::new(code::INVALID_PARAMS, "the task has ended"));
        }
        let inner = task.inner.clone();
        self.tasks[position].due = None;
        self.running.retain(|running| !running.ticket.id.same(&inner));
        self.withdraw(&inner, out);
        let answer = Err(Failure::new(code::INTERNAL_ERROR, "the task was cancelled"));
        self.end_task(&inner, "cancelled", answer, out);
        Ok(Some(self.describe(&self.tasks[position])))
    }

    /// The oldest request that waits for the result of the task whose call has this id.
    pub(super) fn awaiting(&self, inner: &RequestId) -> Option<RequestId> {
        self.tasks.iter().find(|task| task.inner.same(inner))?.waiting.first().cloned()
    }

    /// A request for the result of a task was cancelled.
    pub(super) fn stop_waiting(&mut self, id: &RequestId) {
        for task in &mut self.tasks {
            task.waiting.retain(|waiting| !waiting.same(id));
        }
    }

    /// The metadata for what a call asks or reports on its way, if it is the call of a task.
    pub(super) fn task_metadata(&self, id: &RequestId) -> Option<Value> {
        let task = self.tasks.iter().find(|task| task.inner.same(id))?;
        Some(related(&task.id))
    }

    /// Notes that something has happened to a task.
    pub(super) fn touch_task(&mut self, id: &RequestId) {
        let now = self.now;
        self.tasks.iter_mut().filter(|task| task.inner.same(id)).for_each(|task| task.updated = now);
    }

    pub(super) fn describe(&self, task: &Task) -> Object {
        let waits = || self.asked.iter().filter_map(|asked| asked.ticket.as_ref()).any(|one| one.id.same(&task.inner));
        let status = match &task.outcome {
            Some(outcome) => outcome.status,
            None if waits() && !self.faulty(Fault::StaysWorking) => "input_required",
            None => "working",
        };
        let mut described = object(json!({
            "taskId": task.id,
            "status": status,
            "createdAt": moment(task.created),
            "lastUpdatedAt": moment(task.updated),
            "ttl": task.ttl,
            "pollInterval": 100,
        }));
        if status == "failed" {
            described.insert("statusMessage".into(), "the call failed".into());
        }
        described
    }
}

/// The answer to `tasks/result`: what the call came to, and in a result the name of the task.
fn payload(task: &Task) -> Answer {
    match &task.outcome {
        None => Ok(None),
        Some(Outcome { answer: Err(failure), .. }) => Err(failure.clone()),
        Some(Outcome { answer: Ok(result), .. }) => {
            let mut result = result.clone();
            let metadata = result.entry("_meta").or_insert_with(|| json!({}));
            if let (Some(metadata), Value::Object(own)) = (metadata.as_object_mut(), related(&task.id)) {
                metadata.extend(own);
            }
            Ok(Some(result))
        }
    }
}

/// A moment of the server's clock, which begins with the day on which the revision was released.
fn moment(time: Duration) -> String {
    let seconds = time.as_secs();
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
    let (second, thousandth) = (seconds % 60, time.subsec_millis());
    format!("2025-11-{:02}T{hours:02}:{minutes:02}:{second:02}.{thousandth:03}Z", 25 + days.min(5))
}

/// The result of a plain call of a tool that wants to be a task.
pub(super) fn refusal() -> Answer {
    Err(Failure::new(code::METHOD_NOT_FOUND, "this tool is called as a task only"))
}

/// What the tool does that is a task.
pub(super) fn errand() -> Object {
    tools::text_result("done, and nobody waited")
}
