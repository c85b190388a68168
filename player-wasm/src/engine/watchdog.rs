//! Sees that the playhead stands still although there is something to play, and says what to do
//! about it: each step is stronger than the one before, and counted.

use super::buffered::Range;

/// What the watchdog looks at. Times in seconds.
#[derive(Clone, Copy, Debug)]
pub struct Sight {
    /// The time now, any origin.
    pub now: f64,
    /// `currentTime` as reported, not extrapolated.
    pub position: f64,
    /// The element is meant to play.
    pub playing: bool,
    /// A seek is under way.
    pub seeking: bool,
    /// What every track has around the playhead.
    pub here: Option<Range>,
    /// What every track has behind the next hole.
    pub next: Option<Range>,
}

/// What to do about a playhead that stands still.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Step {
    /// Move to the next stretch that can be played, seconds.
    Cross(f64),
    /// Move a little: that wakes a decoder that waits for nothing.
    Nudge(f64),
    /// Move to near the end of what is there: a damaged place is left behind.
    Skip(f64),
    /// Empty the SourceBuffers and put out again what there is, from the last keyframe on.
    Flush,
    /// Throw the MediaSource away and start with a new one.
    Rebuild,
    /// The same, and with a new connection.
    Reconnect,
    /// Nothing helped.
    GiveUp,
}

/// Watches one element.
#[derive(Debug, Default)]
pub struct Watchdog {
    position: f64,
    /// When the playhead last moved, was meant to stand still, or was helped.
    moved_at: Option<f64>,
    /// Since when there has been enough to play.
    fed_at: Option<f64>,
    stepped_at: f64,
    steps: u32,
    rebuilds: u32,
    rebuilt_at: f64,
}

impl Watchdog {
    /// Looks at the element; a step, if it is time for one.
    pub fn update(&mut self, sight: &Sight) -> Option<Step> {
        let moved = (sight.position - self.position).abs() > 0.001;
        if moved && !sight.seeking && sight.now - self.stepped_at > CALM {
            self.steps = 0;
        }
        if moved || !sight.playing {
            self.fed_at = None;
            self.position = sight.position;
            self.moved_at = Some(sight.now);
            return None;
        }
        let stuck = sight.now - *self.moved_at.get_or_insert(sight.now);
        let ahead = sight.here.map_or(0.0, |range| range.end - sight.position);
        if ahead < ENOUGH {
            self.fed_at = None;
            // A browser may stop a little before a hole.
            let patience = if ahead < HOLE { CROSS_AFTER } else { CROSS_BEFORE };
            let next = sight.next.filter(|next| next.end - next.start >= HOLE)?;
            return (stuck >= patience).then(|| self.step(sight.now, Step::Cross(next.start)));
        }
        // Who stood because there was nothing gets time to notice that there is.
        let stuck = stuck.min(sight.now - *self.fed_at.get_or_insert(sight.now));
        let patience = if sight.seeking { SEEK_PATIENCE } else { PATIENCE };
        if stuck < patience {
            return None;
        }
        let step = match self.steps {
            0 => Step::Nudge(sight.position + NUDGE),
            1 => Step::Skip(sight.position + (ahead - HOLE).max(NUDGE)),
            2 => Step::Flush,
            _ => self.start_over(sight.now),
        };
        Some(self.step(sight.now, step))
    }

    /// How to start anew, if that is still in order; it is counted as done.
    pub fn start_over(&mut self, now: f64) -> Step {
        if now - self.rebuilt_at > REBUILD_WINDOW {
            self.rebuilds = 0;
            self.rebuilt_at = now;
        }
        self.rebuilds += 1;
        match self.rebuilds {
            ..=MAX_REBUILDS => Step::Rebuild,
            LAST_RESORT => Step::Reconnect,
            _ => Step::GiveUp,
        }
    }

    fn step(&mut self, now: f64, step: Step) -> Step {
        self.steps += 1;
        self.moved_at = Some(now);
        self.stepped_at = now;
        step
    }
}

/// Less data than this ahead of the playhead, seconds, is a hole's edge.
const HOLE: f64 = 0.1;

/// With this much data ahead, seconds, there is no excuse for standing still.
const ENOUGH: f64 = 0.5;

/// Seconds of standing at a hole before it is crossed: the time between two reports of the page, as
/// who is at the end of what there is may not stand yet.
const CROSS_AFTER: f64 = 0.1;

/// The same a little before the hole.
const CROSS_BEFORE: f64 = 0.4;

/// Seconds of standing still with data before something is done.
const PATIENCE: f64 = 1.0;

/// The same while a seek is under way: it decodes from the keyframe on.
const SEEK_PATIENCE: f64 = 3.0;

/// How far a nudge goes, seconds: about two pictures.
const NUDGE: f64 = 0.08;

/// Seconds of moving after which the steps begin anew with the mildest.
const CALM: f64 = 5.0;

/// Rebuilds allowed within [`REBUILD_WINDOW`].
const MAX_REBUILDS: u32 = 3;

/// The one after them is with a new connection.
const LAST_RESORT: u32 = MAX_REBUILDS + 1;

/// Seconds over which rebuilds are counted.
const REBUILD_WINDOW: f64 = 60.0;

#[cfg(test)]
mod tests {
    use super::*;

    fn stuck() -> Sight {
        Sight {
            now: 100.0,
            position: 5.0,
            playing: true,
            seeking: false,
            here: Some(Range { start: 0.0, end: 8.0 }),
            next: None,
        }
    }

    /// The steps taken while `sight` stays as it is for `seconds`.
    fn watch(dog: &mut Watchdog, sight: &mut Sight, seconds: f64) -> Vec<Step> {
        let mut steps = vec![];
        for _ in 0..(seconds * 10.0) as usize {
            sight.now += 0.1;
            steps.extend(dog.update(sight));
        }
        steps
    }

    #[test]
    fn a_moving_playhead_is_left_alone() {
        let (mut dog, mut sight) = (Watchdog::default(), stuck());
        for _ in 0..100 {
            sight.position += 0.1;
            sight.here = Some(Range { start: 0.0, end: sight.position + 3.0 });
            assert_eq!(watch(&mut dog, &mut sight, 0.1), []);
        }
    }

    #[test]
    fn steps_grow_stronger_and_end() {
        let (mut dog, mut sight) = (Watchdog::default(), stuck());
        let steps = watch(&mut dog, &mut sight, 20.0);
        assert!(matches!(
            steps[..8],
            [
                Step::Nudge(_),
                Step::Skip(_),
                Step::Flush,
                Step::Rebuild,
                Step::Rebuild,
                Step::Rebuild,
                Step::Reconnect,
                Step::GiveUp
            ]
        ));
        assert_eq!(steps[1], Step::Skip(7.9));
    }

    #[test]
    fn who_stood_without_data_gets_time_when_it_comes() {
        let (mut dog, mut sight) = (Watchdog::default(), stuck());
        sight.here = Some(Range { start: 0.0, end: 5.01 });
        assert_eq!(watch(&mut dog, &mut sight, 10.0), []);
        sight.here = stuck().here;
        assert_eq!(watch(&mut dog, &mut sight, 0.9), []);
        assert!(matches!(watch(&mut dog, &mut sight, 0.3)[..], [Step::Nudge(_)]));
    }

    #[test]
    fn a_start_gets_its_time() {
        let (mut dog, mut sight) = (Watchdog::default(), stuck());
        sight.position = 0.0;
        assert_eq!(watch(&mut dog, &mut sight, 0.9), []);
    }

    #[test]
    fn without_data_or_paused_there_is_nothing_to_mend() {
        let (mut dog, mut sight) = (Watchdog::default(), stuck());
        sight.here = Some(Range { start: 0.0, end: 5.05 });
        assert_eq!(watch(&mut dog, &mut sight, 20.0), []);
        sight.here = None;
        assert_eq!(watch(&mut dog, &mut sight, 20.0), []);
        sight = stuck();
        sight.playing = false;
        assert_eq!(watch(&mut dog, &mut sight, 20.0), []);
    }

    #[test]
    fn a_hole_is_crossed_at_once() {
        let (mut dog, mut sight) = (Watchdog::default(), stuck());
        dog.update(&sight);
        sight.here = Some(Range { start: 0.0, end: 5.01 });
        sight.next = Some(Range { start: 6.0, end: 7.0 });
        assert_eq!(watch(&mut dog, &mut sight, 0.3), [Step::Cross(6.0)]);
    }

    #[test]
    fn who_stops_a_little_before_a_hole_is_taken_over_it() {
        let (mut dog, mut sight) = (Watchdog::default(), stuck());
        dog.update(&sight);
        sight.here = Some(Range { start: 0.0, end: 5.2 });
        sight.next = Some(Range { start: 6.0, end: 7.0 });
        assert_eq!(watch(&mut dog, &mut sight, 0.6), [Step::Cross(6.0)]);
    }

    #[test]
    fn play_that_goes_on_forgives() {
        let (mut dog, mut sight) = (Watchdog::default(), stuck());
        dog.update(&sight);
        assert_eq!(watch(&mut dog, &mut sight, 1.5).len(), 1);
        for _ in 0..100 {
            sight.position += 0.1;
            sight.here = Some(Range { start: 0.0, end: sight.position + 3.0 });
            watch(&mut dog, &mut sight, 0.1);
        }
        assert!(matches!(watch(&mut dog, &mut sight, 1.5)[..], [Step::Nudge(_)]));
    }

    #[test]
    fn a_seek_gets_more_time() {
        let (mut dog, mut sight) = (Watchdog::default(), stuck());
        sight.seeking = true;
        assert_eq!(watch(&mut dog, &mut sight, 2.5), []);
    }
}
