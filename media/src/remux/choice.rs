//! Which track of several is played.

/// The choice among the tracks of one kind. A plain message is track 0's.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Choice {
    /// What the host wants; without a wish the lowest id that begins a sequence is played.
    wanted: Option<u8>,
    found: Option<u8>,
    told: bool,
}

/// What to do with a track's data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Chosen {
    /// Play it.
    Yes,
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
        let better = self.found.is_none_or(|found| track < found);
        if self.wanted.is_none() && better && (begins || self.found.is_none()) {
            self.found = Some(track);
        }
        if self.wanted.or(self.found) == Some(track) {
            Chosen::Yes
        } else if core::mem::replace(&mut self.told, true) {
            Chosen::No
        } else {
            Chosen::Tell
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lowest_track_is_played_unless_another_is_wanted() {
        let mut choice = Choice::new(None);
        assert_eq!(choice.choose(Some(2), true), Chosen::Yes);
        assert_eq!(choice.choose(Some(1), true), Chosen::Yes);
        assert_eq!(choice.choose(None, false), Chosen::Tell);
        assert_eq!(choice.choose(None, true), Chosen::Yes);
        assert_eq!(choice.choose(Some(0), false), Chosen::Yes);
        assert_eq!(choice.choose(Some(1), true), Chosen::No);

        let mut choice = Choice::new(Some(1));
        assert_eq!(choice.choose(None, true), Chosen::Tell);
        assert_eq!(choice.choose(Some(2), true), Chosen::No);
        assert_eq!(choice.choose(Some(1), false), Chosen::Yes);
    }
}
