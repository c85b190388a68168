//! What a viewer is sent, and when: the footage from a keyframe on, changed by a fault.

use anyhow::Result;
use pushpull_media::flv::{Header, Item, Reader, Tag, TagKind};

use super::footage::Footage;

/// What happens at one moment of a connection.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Step {
    /// These bytes are sent.
    Send(Vec<u8>),
    /// The response ends as it should.
    End,
    /// The connection is reset.
    Reset,
}

/// In which pieces the network delivers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Pieces {
    /// Everything of a fifth of a second at once, up to 64 KiB, as behind a proxy.
    Large,
    /// 100 to 700 bytes, each for itself.
    Tiny,
}

impl Pieces {
    /// When something due at `at` is sent, milliseconds.
    pub fn due(self, at: i64) -> i64 {
        match self {
            Pieces::Large => (at + BATCH_MS - 1).div_euclid(BATCH_MS) * BATCH_MS,
            Pieces::Tiny => at,
        }
    }
}

/// The steps of one connection, in order, each with its time on the world's clock (milliseconds of the footage).
#[derive(Clone, Debug)]
pub struct Plan {
    steps: Vec<(i64, Step)>,
}

impl Plan {
    /// The footage for a viewer who joins at `now`: header and heads, from the newest keyframe on at once, then as it
    /// comes.
    pub fn live(footage: &Footage, now: i64) -> Plan {
        let start = footage.keyframe_before(now);
        let mut plan = Plan { steps: Vec::new() };
        let header = Header { has_audio: true, has_video: true };
        plan.steps.push((now, Step::Send(header.to_bytes().to_vec())));
        for head in &footage.heads {
            plan.send_tag(now, head, start);
        }
        for tag in footage.media.iter().filter(|tag| tag.time() >= start) {
            plan.send_tag(tag.time().max(now), tag, tag.time());
        }
        plan
    }

    /// An FLV file, each tag at its time; then the response ends.
    pub fn file(bytes: &[u8]) -> Result<Plan> {
        let mut reader = Reader::new();
        reader.push(bytes);
        let mut plan = Plan { steps: Vec::new() };
        let mut last = 0;
        while let Some(item) = reader.next()? {
            match item {
                Item::Header(header) => {
                    plan.steps.push((0, Step::Send(header.to_bytes().to_vec())))
                }
                Item::Tag(tag) => {
                    last = tag.time().max(last);
                    plan.steps.push((last, Step::Send(tag.bytes().to_vec())));
                }
            }
        }
        plan.steps.push((last, Step::End));
        Ok(plan)
    }

    /// The steps in order.
    pub fn steps(&self) -> &[(i64, Step)] {
        &self.steps
    }

    /// The same with a publisher's clock that shows `base` at the world's 0.
    pub fn from(mut self, base: i64) -> Plan {
        self.shift(i64::MIN, base);
        self
    }

    /// What `other` does, behind all this.
    pub fn append(&mut self, other: Plan) {
        // Its FLV header is not sent again.
        self.steps.extend(other.steps.into_iter().skip(1));
    }

    /// Adds a step at its place: before what happens at the same time.
    pub fn prepend(&mut self, at: i64, step: Step) {
        let place = self.steps.partition_point(|(other, _)| *other < at);
        self.steps.insert(place, (at, step));
    }

    /// Adds a step at its place: behind what happens at the same time.
    pub fn insert(&mut self, at: i64, step: Step) {
        let place = self.steps.partition_point(|(other, _)| *other <= at);
        self.steps.insert(place, (at, step));
    }

    /// Nothing that is due at or after `at` happens.
    pub fn cut(&mut self, at: i64) {
        self.steps.retain(|(other, _)| *other < at);
    }

    /// What is due from `from` on and before `to` happens at `to`.
    pub fn hold(&mut self, from: i64, to: i64) {
        for (at, _) in &mut self.steps {
            if (from..to).contains(at) {
                *at = to;
            }
        }
    }

    /// Changes each tag that is due from `from` on; `None` drops it. The time given to `change` is the world's.
    pub fn change(&mut self, from: i64, mut change: impl FnMut(i64, Tag) -> Option<Tag>) {
        self.steps.retain_mut(|(at, step)| {
            if *at < from {
                return true;
            }
            let Step::Send(bytes) = step else { return true };
            let Some(tag) = tag_of(bytes) else { return true };
            match change(*at, tag) {
                Some(changed) => {
                    *bytes = changed.bytes().to_vec();
                    true
                }
                None => false,
            }
        });
    }

    /// Changes the bytes of the first tag due at or after `from` for which `fits` is true.
    pub fn damage(
        &mut self,
        from: i64,
        fits: impl Fn(&Tag) -> bool,
        damage: impl FnOnce(&mut Vec<u8>),
    ) {
        for (_, step) in self.steps.iter_mut().filter(|(at, _)| *at >= from) {
            let Step::Send(bytes) = step else { continue };
            if tag_of(bytes).is_some_and(|tag| fits(&tag)) {
                damage(bytes);
                return;
            }
        }
    }

    /// Adds to every time stamp due from `from` on; the wire holds the low 32 bits.
    pub fn shift(&mut self, from: i64, milliseconds: i64) {
        self.change(from, |_, tag| at(&tag, tag.time() + milliseconds));
    }

    fn send_tag(&mut self, due: i64, tag: &Tag, time: i64) {
        if let Some(tag) = at(tag, time) {
            self.steps.push((due, Step::Send(tag.bytes().to_vec())));
        }
    }
}

/// The same tag at another time.
pub fn at(tag: &Tag, time: i64) -> Option<Tag> {
    Tag::new(tag.kind(), time, tag.data()).ok()
}

/// The tag these bytes are, unless they are something else.
fn tag_of(bytes: &[u8]) -> Option<Tag> {
    let kind = TagKind::from_type(*bytes.first()?)?;
    let time = bytes.get(4..8)?;
    let time = i64::from(u32::from_be_bytes([time[3], time[0], time[1], time[2]]));
    let end = bytes.len().checked_sub(Tag::TRAILER_LEN)?;
    Tag::new(kind, time, bytes.get(Tag::HEADER_LEN..end)?).ok()
}

/// What [`Pieces::Large`] waits for.
const BATCH_MS: i64 = 200;
