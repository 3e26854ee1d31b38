//! What the server says about itself: identity and capabilities, each in the words of the revision.

use std::sync::LazyLock;

use serde_json::{Value, json};

use super::behaviour::{Offer, Reading};
use super::fault::Fault;
use super::message::{Object, object};
use super::server::Server;
use crate::revision::{Revision, Revisions};

/// A picture of one pixel: PNG in base64.
pub(super) const PIXEL: &str =
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

static IDENTITIES: LazyLock<[Value; 5]> = LazyLock::new(|| Revision::ALL.map(|revision| identity(revision, false)));

/// The icons of the server and of its things.
pub(super) fn icons(http: bool) -> Value {
    let source =
        if http { "http://turncoat.example/icon.png".to_owned() } else { format!("data:image/png;base64,{PIXEL}") };
    json!([{"src": source, "mimeType": "image/png", "sizes": ["1x1"]}])
}

fn identity(revision: Revision, http: bool) -> Value {
    let mut identity = object(json!({"name": "turncoat-reference", "version": "1.0.0"}));
    if revision >= Revision::V2025_06_18 {
        identity.insert("title".into(), "turncoat reference server".into());
    }
    if revision >= Revision::V2025_11_25 {
        identity.insert("description".into(), "Honest in every revision, and faulty on demand.".into());
        identity.insert("icons".into(), icons(http));
    }
    Value::Object(identity)
}

impl Server {
    /// The name, version and trimmings of the server.
    pub(super) fn identity(&self, revision: Revision) -> Value {
        if self.reads(Reading::HttpIcon) {
            return identity(revision, true);
        }
        IDENTITIES[revision as usize].clone()
    }

    /// Whether the server has a feature and is ready to serve it.
    pub(super) fn offers(&self, feature: &str) -> bool {
        let features = &self.behaviour.features;
        match feature {
            "tools" => features.tools.present(),
            "prompts" => features.prompts.present(),
            "resources" => features.resources.present(),
            "subscribe" => features.resources.present() && features.subscribe,
            "completions" => features.completions,
            "logging" => features.logging,
            "tasks" => features.tools.present() && features.tasks,
            _ => false,
        }
    }

    /// The capabilities it declares in this revision.
    pub(super) fn capabilities(&self, revision: Revision) -> Object {
        let features = &self.behaviour.features;
        let mut declared = Object::new();
        let list = |offer: Offer| match offer {
            Offer::Announced => object(json!({"listChanged": true})),
            Offer::Absent | Offer::Quiet => Object::new(),
        };
        for (name, offer) in
            [("tools", features.tools), ("prompts", features.prompts), ("resources", features.resources)]
        {
            if offer.present() {
                declared.insert(name.into(), Value::Object(list(offer)));
            }
        }
        if features.subscribe
            && let Some(resources) = declared.get_mut("resources")
        {
            resources["subscribe"] = true.into();
        }
        if features.completions && Revisions::since(Revision::V2025_03_26).has(revision) {
            declared.insert("completions".into(), json!({}));
        }
        if features.logging {
            declared.insert("logging".into(), json!({}));
        }
        if self.offers("tasks") && revision == Revision::V2025_11_25 {
            let all = json!({"list": {}, "cancel": {}, "requests": {"tools": {"call": {}}}});
            declared.insert("tasks".into(), all);
        }
        if self.reads(Reading::ExtraCapabilities) {
            declared.insert("experimental".into(), json!({"com.example/tea": {}}));
            declared.insert("teaPot".into(), json!({"lid": [1, null]}));
        }
        self.misdeclare(revision, &mut declared);
        declared
    }

    /// What a faulty server leaves out of its declaration although it has it.
    fn misdeclare(&self, revision: Revision, declared: &mut Object) {
        for (fault, name) in [
            (Fault::UndeclaredTools, "tools"),
            (Fault::UndeclaredPrompts, "prompts"),
            (Fault::UndeclaredResources, "resources"),
            (Fault::EmbedsWithoutResources, "resources"),
            (Fault::UndeclaredCompletions, "completions"),
            (Fault::UndeclaredLogging, "logging"),
        ] {
            if self.faulty(fault) {
                declared.remove(name);
            }
        }
        if self.faulty(Fault::UndeclaredListChanged) {
            for name in ["tools", "prompts", "resources"] {
                if let Some(feature) = declared.get_mut(name).and_then(Value::as_object_mut) {
                    feature.remove("listChanged");
                }
            }
        }
        if self.faulty(Fault::UndeclaredResourceUpdates)
            && let Some(resources) = declared.get_mut("resources").and_then(Value::as_object_mut)
        {
            resources.remove("subscribe");
        }
        let extensions = [
            (Fault::ExtensionWithoutPrefix, json!({"ticker": {}})),
            (Fault::ExtensionNotAnObject, json!({"com.example/ticker": true})),
            (Fault::ExtensionWithoutConsent, json!({"com.example/ticker": {}})),
        ];
        for (fault, value) in extensions {
            if self.faulty(fault) && revision == Revision::V2026_07_28 {
                declared.insert("extensions".into(), value);
            }
        }
    }
}
