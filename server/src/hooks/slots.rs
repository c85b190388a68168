//! Connections to a hook server: who gets the next one.
//!
//! One address must not take them all, or whoever comes from elsewhere waits for what that address has begun. A fixed share
//! would do, and would be too little for the many who come from one address (a school, or a proxy that does not say whom it
//! speaks for) while nobody else is there. So the share depends on what is left: an address may have as many connections as
//! are free for others at the time. One alone gets half of all, two a third each, and somebody new always finds one.
//!
//! Who gets none waits, and is served in turn: first those of the address that has the fewest, among these who came first.

use std::{
    collections::{BTreeSet, HashMap, VecDeque},
    net::IpAddr,
    sync::{Mutex, MutexGuard, PoisonError},
};

use tokio::sync::oneshot;

use crate::accept::household;

/// Connections that there may be at a time.
#[derive(Debug)]
pub(super) struct Slots {
    most: usize,
    state: Mutex<State>,
}

/// One of them, or a place among those who wait for one. It is free again when this is dropped.
#[derive(Debug)]
#[must_use = "dropping it frees the connection"]
pub(super) struct Slot<'a> {
    slots: &'a Slots,
    home: IpAddr,
    ticket: u64,
}

#[derive(Debug, Default)]
struct State {
    taken: usize,
    /// Those who have some, or wait.
    homes: HashMap<IpAddr, Home>,
    /// Homes of which somebody waits, in their turn: by how many they have, and the ticket of their first.
    turns: BTreeSet<(usize, u64, IpAddr)>,
    tickets: u64,
}

/// What one address has; an IPv6 network of 64 bits is one.
#[derive(Debug, Default)]
struct Home {
    taken: usize,
    /// By their tickets.
    waiting: VecDeque<(u64, oneshot::Sender<()>)>,
}

impl Slots {
    pub(super) fn new(most: usize) -> Self {
        Self { most, state: Mutex::default() }
    }

    /// A connection for somebody at `address`, in its turn.
    pub(super) async fn take(&self, address: IpAddr) -> Slot<'_> {
        let (slot, granted) = self.ask(address);
        // It is told, or nobody is there to be told.
        let _ = granted.await;
        slot
    }

    /// Whether `address` has any at present.
    pub(super) fn has_any(&self, address: IpAddr) -> bool {
        self.lock().homes.get(&household(address)).is_some_and(|home| home.taken > 0)
    }

    fn ask(&self, address: IpAddr) -> (Slot<'_>, oneshot::Receiver<()>) {
        let (grant, granted) = oneshot::channel();
        let home = household(address);
        let mut state = self.lock();
        let ticket = state.tickets;
        state.tickets += 1;
        state.change(home, |home| home.waiting.push_back((ticket, grant)));
        state.serve(self.most);
        (Slot { slots: self, home, ticket }, granted)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Changes what a home has, and keeps its turn right.
    fn change<R>(&mut self, address: IpAddr, change: impl FnOnce(&mut Home) -> R) -> R {
        let home = self.homes.entry(address).or_default();
        if let Some(turn) = home.turn(address) {
            self.turns.remove(&turn);
        }
        let outcome = change(home);
        if let Some(turn) = home.turn(address) {
            self.turns.insert(turn);
        } else if home.taken == 0 {
            self.homes.remove(&address);
        }
        outcome
    }

    /// Gives away what there is to give.
    fn serve(&mut self, most: usize) {
        // If it has too many for another one, so have all behind it.
        while let Some(&(taken, _, home)) = self.turns.first()
            && taken < most.saturating_sub(self.taken)
        {
            self.taken += 1;
            let first = self.change(home, |home| {
                home.taken += 1;
                home.waiting.pop_front()
            });
            if let Some((_, grant)) = first {
                // Its slot is there, and is dropped later if nobody waits any more.
                let _ = grant.send(());
            }
        }
    }
}

impl Home {
    fn turn(&self, address: IpAddr) -> Option<(usize, u64, IpAddr)> {
        self.waiting.front().map(|(ticket, _)| (self.taken, *ticket, address))
    }
}

impl Drop for Slot<'_> {
    fn drop(&mut self) {
        let mut state = self.slots.lock();
        let was_taken = state.change(self.home, |home| {
            match home.waiting.binary_search_by_key(&self.ticket, |(ticket, _)| *ticket) {
                Ok(place) => {
                    home.waiting.remove(place);
                    false
                }
                Err(_) => {
                    home.taken -= 1;
                    true
                }
            }
        });
        state.taken -= usize::from(was_taken);
        state.serve(self.slots.most);
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    fn address(last: u8) -> IpAddr {
        [192, 0, 2, last].into()
    }

    /// As many as `address` gets at once, at most `wanted`.
    fn fill(slots: &Slots, address: IpAddr, wanted: usize) -> Vec<Slot<'_>> {
        (0..wanted).map_while(|_| slots.take(address).now_or_never()).collect()
    }

    #[test]
    fn an_address_has_no_more_than_it_leaves_to_others() {
        let slots = Slots::new(12);
        let first = fill(&slots, address(1), 12);
        assert_eq!(first.len(), 6);
        let second = fill(&slots, address(2), 12);
        assert_eq!(second.len(), 3);
        // Somebody new finds one while there is any.
        let more: Vec<_> = (3..6).map(|last| fill(&slots, address(last), 1)).collect();
        assert!(more.iter().all(|new| new.len() == 1));
        assert!(fill(&slots, address(6), 1).is_empty(), "all are taken");
        assert!(slots.has_any(address(5)) && !slots.has_any(address(6)));
        drop((first, second, more));
        let state = slots.lock();
        assert!(state.taken == 0 && state.homes.is_empty() && state.turns.is_empty());
    }

    #[test]
    fn those_of_one_network_of_ipv6_are_one() {
        let slots = Slots::new(4);
        let of = |text: &str| text.parse().unwrap();
        let held = fill(&slots, of("2001:db8::1"), 4);
        assert_eq!(held.len(), 2);
        assert!(fill(&slots, of("2001:db8::ffff:2"), 1).is_empty());
        assert_eq!(fill(&slots, of("2001:db8:0:1::1"), 1).len(), 1);
    }

    #[tokio::test]
    async fn who_has_the_fewest_is_next_and_who_leaves_takes_nobodys_turn() {
        let slots = Slots::new(4);
        let mut held = fill(&slots, address(1), 4);
        held.extend(fill(&slots, address(2), 4));
        held.extend(fill(&slots, address(3), 4));
        assert_eq!(held.len(), 4);
        let (greedy, _wait) = slots.ask(address(1));
        let (gone, _wait) = slots.ask(address(4));
        let (modest, modest_granted) = slots.ask(address(5));
        drop(gone);
        drop(held.remove(0));
        modest_granted.await.unwrap();
        drop((greedy, modest, held));
        assert!(slots.lock().homes.is_empty());
    }

    #[test]
    fn a_slot_that_is_granted_to_one_who_has_just_left_goes_on() {
        let slots = Slots::new(1);
        let held = fill(&slots, address(1), 1);
        let (left, granted) = slots.ask(address(2));
        let (next, mut next_granted) = slots.ask(address(3));
        drop(granted);
        drop(held);
        assert!(next_granted.try_recv().is_err());
        drop(left);
        assert!(next_granted.try_recv().is_ok());
        drop(next);
    }
}
