//! A server that has ended: in the modern era it is started again once something is wanted of it.

use serde_json::{Value, json};

use super::fault::ClientFault;
use super::handshake::Connection;
use super::{Client, Deed, Habit, LONGEST, Outlet};
use crate::reference::incoming::RequestId;
use crate::reference::lines::Lines;
use crate::reference::message::object;
use crate::revision::Revision;
use crate::user::Wish;

/// The most times that a server is started again.
const MOST: u32 = 3;

impl Client {
    /// Starts the server again if a wish takes one, and the last one has ended by itself.
    pub(super) fn revive(&mut self, wish: &Wish, out: &mut Outlet) {
        if !self.server_gone || self.hung_up || self.restarts == MOST {
            return;
        }
        let terms = self.former.clone().filter(|terms| terms.revision == Revision::V2026_07_28);
        let leaves = self.is_given_to(Habit::NeverRestarts) || self.faulty(ClientFault::NeverRestarts);
        let wanted = match wish {
            // A user who asks for a connection once more gets one in either era.
            Wish::Connect => true,
            Wish::Idle { .. } | Wish::Surface | Wish::Close | Wish::Abort => false,
            // What the user sets is no matter of one server.
            Wish::Roots { .. } | Wish::LogLevel { .. } => false,
            _ => terms.is_some() && !leaves,
        };
        if !wanted {
            return;
        }
        self.restarts += 1;
        self.server_gone = false;
        self.disappointed = false;
        self.lines = Lines::up_to(LONGEST);
        out.deeds.push(Deed::Restart);
        if self.is_given_to(Habit::CountsAnew) {
            self.requests_so_far = 0;
        }
        // Nothing of the era has to be found out again: there are no sessions in it.
        self.connection = terms.map_or(Connection::None, Connection::Open);
        self.listen_again(out);
    }

    /// Asks a new process for the news that the last one was to give.
    fn listen_again(&mut self, out: &mut Outlet) {
        let subscriptions = std::mem::take(&mut self.subscriptions);
        if !self.is_modern() || self.faulty(ClientFault::ForgetsSubscriptions) {
            return;
        }
        for mut subscription in subscriptions {
            let params = object(json!({"notifications": Value::Object(subscription.filter.clone())}));
            let token = self.request(0, "subscriptions/listen", params, out);
            if let Some(id) = RequestId::read(&token.to_string()) {
                (subscription.id, subscription.token) = (id, token);
                (subscription.is_acknowledged, subscription.errand) = (false, 0);
                self.subscriptions.push(subscription);
            }
        }
    }
}
