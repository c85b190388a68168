//! Taking turns: the message streams of a connection that want the same thing.

use std::task::Poll;

/// Message streams by their ids, each of which has its turn before any of them has two.
///
/// There are few of them, and nearly always one.
#[derive(Debug)]
pub(super) struct Rota<T> {
    all: Vec<(u32, T)>,
    /// Whose turn it is first: the one behind the last that had one.
    next: usize,
}

impl<T> Default for Rota<T> {
    fn default() -> Self {
        Self { all: Vec::new(), next: 0 }
    }
}

impl<T> Rota<T> {
    /// Adds one, in place of what it was before.
    pub(super) fn insert(&mut self, stream_id: u32, one: T) {
        self.remove(stream_id);
        // Room for one more, and not for the four that it would begin with: nearly all stay alone.
        self.all.reserve_exact(1);
        self.all.push((stream_id, one));
    }

    pub(super) fn remove(&mut self, stream_id: u32) {
        let Some(at) = self.all.iter().position(|(id, _)| *id == stream_id) else { return };
        self.all.remove(at);
        // Nobody loses a turn, or gets one more.
        self.next -= usize::from(at < self.next);
    }

    pub(super) fn clear(&mut self) {
        self.all.clear();
        self.next = 0;
    }

    pub(super) fn get_mut(&mut self, stream_id: u32) -> Option<&mut T> {
        self.iter_mut().find(|(id, _)| *id == stream_id).map(|(_, one)| one)
    }

    pub(super) fn len(&self) -> usize {
        self.all.len()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (u32, &T)> {
        self.all.iter().map(|(id, one)| (*id, one))
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = (u32, &mut T)> {
        self.all.iter_mut().map(|(id, one)| (*id, one))
    }

    /// What the first has that has something, beginning with the one whose turn it is.
    pub(super) fn poll_turn<R>(&mut self, mut poll: impl FnMut(u32, &mut T) -> Poll<R>) -> Poll<R> {
        for at in (self.next..self.all.len()).chain(0..self.next) {
            let Some((stream_id, one)) = self.all.get_mut(at) else { continue };
            let turn = poll(*stream_id, one);
            if turn.is_ready() {
                self.next = at + 1;
                return turn;
            }
        }
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    #[derive(Clone, Copy, Debug)]
    enum Event {
        Insert(u32),
        Remove(u32),
        /// It has something from now on, or nothing.
        Has(u32, bool),
        Turn,
    }

    fn event() -> impl Strategy<Value = Event> {
        prop_oneof![
            (0..6_u32).prop_map(Event::Insert),
            (0..6_u32).prop_map(Event::Remove),
            (0..6_u32, any::<bool>()).prop_map(|(id, has)| Event::Has(id, has)),
            Just(Event::Turn),
            Just(Event::Turn),
        ]
    }

    /// One that takes part, in the plainest words.
    #[derive(Default)]
    struct Model {
        has: bool,
        /// Turns that each of the others had while this one had something and waited.
        passed: BTreeMap<u32, usize>,
    }

    proptest! {
        #[test]
        fn nobody_has_two_turns_while_another_waits(events in prop::collection::vec(event(), 1..200)) {
            let (mut rota, mut model) = (Rota::default(), BTreeMap::<u32, Model>::new());
            for event in events {
                match event {
                    Event::Insert(id) => {
                        rota.insert(id, false);
                        model.insert(id, Model::default());
                        // It is another one from now on.
                        for one in model.values_mut() {
                            one.passed.remove(&id);
                        }
                    }
                    Event::Remove(id) => {
                        rota.remove(id);
                        model.remove(&id);
                        for one in model.values_mut() {
                            one.passed.remove(&id);
                        }
                    }
                    Event::Has(id, has) => {
                        if let (Some(one), Some(known)) = (rota.get_mut(id), model.get_mut(&id)) {
                            (*one, known.has) = (has, has);
                            known.passed.clear();
                        }
                    }
                    Event::Turn => {
                        let turn = rota.poll_turn(|id, has| match has {
                            true => Poll::Ready(id),
                            false => Poll::Pending,
                        });
                        let Poll::Ready(turn) = turn else {
                            prop_assert!(model.values().all(|one| !one.has));
                            continue;
                        };
                        prop_assert!(model[&turn].has);
                        for (&id, one) in model.iter_mut().filter(|(_, one)| one.has) {
                            if id == turn {
                                one.passed.clear();
                                continue;
                            }
                            let passed = one.passed.entry(turn).or_default();
                            *passed += 1;
                            prop_assert!(*passed < 2, "{turn} had two turns while {id} waited");
                        }
                    }
                }
                let ids = rota.iter().map(|(id, _)| id).collect::<std::collections::BTreeSet<_>>();
                prop_assert_eq!((ids.len(), rota.len()), (model.len(), model.len()));
                prop_assert!(ids.iter().eq(model.keys()));
            }
        }
    }
}
