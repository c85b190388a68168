//! What hook servers hear of a connection: that it is there, what it asks for, and that it has ended.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use pushpull_rtmp::{StreamName, server::Connect};

use super::end::End;
use super::session::Session;
use crate::hooks::{self, Client, Denied, Started};
use crate::sessions::{Purpose, Request};

/// A connection as hook servers know it.
#[derive(Default)]
pub(super) struct Hooked {
    client: Option<Client>,
    /// They are being asked whether it may be there.
    asking: Option<Asking>,
    /// They have let it be there, and are told when it ends.
    _started: Started,
}

type Asking = Pin<Box<dyn Future<Output = Result<Started, Denied>> + Send>>;

impl Hooked {
    /// What hook servers call it, if they hear of it.
    pub(super) fn client(&self) -> Option<Client> {
        self.client.clone()
    }

    /// What hook servers have decided; pending for ever if they were not asked.
    pub(super) fn poll_verdict(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Denied>> {
        let Some(asking) = &mut self.asking else { return Poll::Pending };
        let verdict = ready!(asking.as_mut().poll(context));
        self.asking = None;
        Poll::Ready(verdict.map(|started| self._started = started))
    }
}

impl Session {
    /// Asks hook servers whether the peer may connect.
    pub(super) fn ask_hooks(&mut self) {
        let client = self.meet();
        let hooks = self.host.access.hooks().clone();
        self.hooked.asking = Some(Box::pin(async move { hooks.connect(client).await }));
    }

    /// Gives the connection its name for hook servers, if there are any.
    pub(super) fn introduce_to_hooks(&mut self) {
        if self.host.access.hooks().is_active() {
            self.meet();
        }
    }

    /// Does what hook servers have decided about the connection. The end of it is an error.
    pub(super) fn obey_hooks(&mut self, verdict: Result<(), Denied>) -> Result<(), End> {
        match verdict {
            Ok(()) => self.rtmp.accept_connect().map_err(End::Protocol),
            Err(denied) => {
                self.rtmp.reject_connect(&denied.text);
                Err(End::Denied(denied))
            }
        }
    }

    /// What the peer asks for when it wants to publish or to play `name`.
    pub(super) fn request(&self, purpose: Purpose, name: StreamName, query: String) -> Request {
        Request {
            purpose,
            protocol: "rtmp",
            peer: self.peer,
            name,
            query,
            agent: self.agent.clone().unwrap_or_default(),
            referer: self.said(|connect| &connect.page_url),
            tc_url: self.said(|connect| &connect.tc_url),
            client: self.hooked.client(),
        }
    }

    /// Part of what the peer said of itself.
    fn said(&self, what: impl Fn(&Connect) -> &String) -> String {
        self.rtmp.connect().map(what).cloned().unwrap_or_default()
    }

    fn meet(&mut self) -> Client {
        let connect = self.rtmp.connect().cloned().unwrap_or_default();
        let peer = self.peer;
        let new = || Client::new(hooks::random_id(), "rtmp", peer, connect);
        self.hooked.client.get_or_insert_with(new).clone()
    }
}
