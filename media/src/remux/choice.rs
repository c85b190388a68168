//! Which track of several is played.

/// The choice among the tracks of one kind. A plain message is track 0's.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Choice {
    /// What the host wants; until that begins, or without a wish, the lowest id that begins a sequence
    /// is played.
    wanted: Option<u8>,
    found: Option<u8>,
    told: bool,
}

/// What to do with a track's data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Chosen {
    /// Play it.
    Yes,
    /// Play it, from now on in place of another.
    Change,
    /// Leave it.
    No,
    /// Leave it and say so: the first of its kind.
    Tell,
}

impl Choice {
    pub(super) fn new(wanted: Option<u8>) -> Self {
        Self { wanted, ..Self::default() }
    }

    /// Decides about the data of `track`; `begins` says that it is a sequence header.
    pub(super) fn choose(&mut self, track: Option<u8>, begins: bool) -> Chosen {
        let track = track.unwrap_or(0);
        let before = self.found;
        let better = before.is_none_or(|found| {
            begins && self.wanted != Some(found) && (track < found || self.wanted == Some(track))
        });
        if better {
            self.found = Some(track);
        }
        if self.found != Some(track) {
            let told = core::mem::replace(&mut self.told, true);
            return if told { Chosen::No } else { Chosen::Tell };
        }
        if before == self.found || before.is_none() { Chosen::Yes } else { Chosen::Change }
    }

    /// Whether another than the one that is wanted is played.
    pub(super) fn misses(&self) -> Option<u8> {
        self.wanted.filter(|_| self.found.is_some() && self.found != self.wanted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lowest_track_is_played_unless_another_is_wanted() {
        let mut choice = Choice::new(None);
        assert_eq!(choice.choose(Some(2), true), Chosen::Yes);
        assert_eq!(choice.choose(Some(1), true), Chosen::Change);
        assert_eq!(choice.choose(None, false), Chosen::Tell);
        assert_eq!(choice.choose(None, true), Chosen::Change);
        assert_eq!(choice.choose(Some(0), false), Chosen::Yes);
        assert_eq!(choice.choose(Some(1), true), Chosen::No);
        assert_eq!(choice.misses(), None);
    }

    #[test]
    fn another_is_played_until_the_wanted_one_is_there() {
        let mut choice = Choice::new(Some(1));
        assert_eq!(choice.misses(), None, "nothing came yet");
        assert_eq!(choice.choose(None, true), Chosen::Yes);
        assert_eq!(choice.misses(), Some(1));
        assert_eq!(choice.choose(Some(2), true), Chosen::Tell);
        assert_eq!(choice.choose(Some(1), false), Chosen::No, "it does not begin here");
        assert_eq!(choice.choose(Some(1), true), Chosen::Change);
        assert_eq!(choice.choose(None, true), Chosen::No);
        assert_eq!(choice.choose(Some(1), true), Chosen::Yes);
        assert_eq!(choice.misses(), None);
    }
}
