//! Honest clients of every permitted kind: whoever reports one of them has read a clause too narrowly.

use super::conduct::{Conduct, Declares, Habit, Host};
use crate::reference::Temper;
use crate::revision::Revision::{V2024_11_05, V2025_03_26, V2025_06_18, V2025_11_25};
use crate::revision::Revisions;

/// An honest client that differs from the default.
#[derive(Clone, Copy, Debug)]
pub struct ClientVariant {
    /// The name by which it is asked for.
    pub name: &'static str,
    /// What it does differently.
    pub about: &'static str,
    change: fn(&mut Conduct),
}

impl ClientVariant {
    /// The conduct of this client.
    #[must_use]
    pub fn conduct(&self) -> Conduct {
        let mut conduct = Conduct::default();
        (self.change)(&mut conduct);
        conduct
    }
}

/// Every variant.
#[must_use]
pub fn variants() -> &'static [ClientVariant] {
    VARIANTS
}

const fn variant(name: &'static str, about: &'static str, change: fn(&mut Conduct)) -> ClientVariant {
    ClientVariant { name, about, change }
}

macro_rules! habit {
    ($name:literal, $about:literal, $habit:ident) => {
        variant($name, $about, |conduct| conduct.habits.push(Habit::$habit))
    };
}

static VARIANTS: &[ClientVariant] = &[
    variant("default", "speaks all five revisions and declares everything", |_| {}),
    variant("bare", "declares no capability at all", |conduct| conduct.declares = Declares::NONE),
    variant("roots-only", "declares roots, without news of them", |conduct| {
        conduct.declares = Declares { roots: true, ..Declares::NONE };
    }),
    variant("plain-model", "has a model that uses no tools", |conduct| conduct.declares.sampling_tools = false),
    variant("form-only", "has a user who fills in forms and goes to no URL", |conduct| conduct.declares.url = false),
    variant("url-only", "has a user who goes to URLs and fills in no form", |conduct| conduct.declares.form = false),
    variant("modern-only", "speaks 2026-07-28 only", |conduct| conduct.revisions = Revisions::MODERN),
    variant("legacy", "speaks the four legacy revisions", |conduct| conduct.revisions = Revisions::LEGACY),
    variant("legacy-2024-11-05", "speaks 2024-11-05 only", |conduct| {
        conduct.revisions = Revisions::of(&[V2024_11_05]);
    }),
    variant("legacy-2025-03-26", "speaks 2025-03-26 only", |conduct| {
        conduct.revisions = Revisions::of(&[V2025_03_26]);
    }),
    variant("legacy-2025-06-18", "speaks 2025-06-18 only", |conduct| {
        conduct.revisions = Revisions::of(&[V2025_06_18]);
    }),
    variant("legacy-2025-11-25", "speaks 2025-11-25 only", |conduct| {
        conduct.revisions = Revisions::of(&[V2025_11_25]);
    }),
    variant("strict", "refuses whatever it may refuse", |conduct| conduct.temper = Temper::Strict),
    variant("lenient", "tolerates whatever it may tolerate", |conduct| conduct.temper = Temper::Lenient),
    variant("declining", "has a user who declines", |conduct| conduct.host = Host::Declining),
    variant("dismissing", "has a user who dismisses", |conduct| conduct.host = Host::Dismissing),
    variant("rootless", "cannot find out its roots", |conduct| conduct.host = Host::Failing),
    habit!("trap-01-offers-another", "after an error to initialize, a listed version is offered", OffersAnother),
    habit!("trap-05-pings-in-handshake", "a ping follows initialize at once", PingsInHandshake),
    habit!("trap-18-never-retries", "required input is never given", NeverRetries),
    habit!("trap-20-answers-garbage", "unreadable lines are answered by errors", AnswersGarbage),
    habit!("trap-26-empty-cursor-ends", "an empty cursor ends a list of a legacy session", EmptyCursorEnds),
    habit!("trap-28-sends-batches", "messages travel in arrays of one in 2025-03-26", SendsBatches),
    habit!("trap-28-refuses-arrays", "arrays get one error where there are no batches", RefusesArrays),
    habit!("trap-51-leaves-legacy-listed", "a modern server of legacy versions is given up", LeavesLegacyListed),
    habit!("trap-71-string-ids", "request ids are strings", StringIds),
    variant("trap-74-declines-undeclared", "declares nothing, and declines elicitations", |conduct| {
        conduct.declares = Declares::NONE;
        conduct.habits.push(Habit::DeclinesUndeclared);
    }),
    habit!("trap-75-extra-capabilities", "capabilities that no revision knows are declared", ExtraCapabilities),
    habit!("trap-78-needs-result-type", "a modern result without a type is refused", NeedsResultType),
    habit!("trap-82-initialized-twice", "notifications/initialized is sent twice", InitializedTwice),
    habit!("no-cache", "no result is kept", NoCache),
    habit!("no-progress", "no call asks for progress", NoProgress),
    habit!("fills-everything", "members of a form that may be left out are filled in", FillsEverything),
    habit!("never-restarts", "a server that has ended is not started again", NeverRestarts),
    habit!("counts-anew", "the ids of requests begin anew with each process of the server", CountsAnew),
    habit!("trap-35-shows-icons", "icons at http and https are fetched", ShowsIcons),
    habit!("opens-urls", "URLs that the user accepts are opened", OpensUrls),
    habit!("uses-undeclared", "undeclared features of a modern server are tried", UsesUndeclared),
];
