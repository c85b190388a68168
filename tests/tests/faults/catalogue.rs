//! Every fault: what it does to a stream, and what a viewer may notice of it.

use std::sync::Arc;

use pushpull_media::flv::{Header, Tag, TagKind};
use pushpull_tests::{
    fault::{After, Footage, GOP_MS, GoesOn, Limits, Plan, Step},
    viewer::is_keyframe,
};
use serde_json::{Value, json};

/// What is filmed, in two shapes.
pub struct World {
    /// Small, main profile.
    pub small: Footage,
    /// Larger, high profile, B-frames.
    pub large: Footage,
    /// Small, in VP9.
    pub vp9: Footage,
}

/// One fault.
pub struct Row {
    pub name: &'static str,
    pub limits: Limits,
    pub config: Value,
    pub script: Arc<dyn Fn(usize, i64) -> After + Send + Sync>,
}

impl Row {
    /// Whether nothing is wrong with the stream.
    pub fn is_control(&self) -> bool {
        self.name.starts_with("control")
    }
}

/// These rows between two streams without a fault, beside which they are judged.
pub fn with_controls(world: &Arc<World>, rows: Vec<Row>) -> Vec<Row> {
    let limits = Limits { latency: 400.0, ..Limits::seamless(FAULT).freeze(1000.0) };
    let control = |name| row(world, name, limits, |_, _| {});
    let mut all = vec![control("control")];
    all.extend(rows);
    all.push(control("control, started last"));
    all
}

/// The network: what comes late, in the wrong way, or not at all.
pub fn network(world: &Arc<World>) -> Vec<Row> {
    let seamless = Limits::seamless(FAULT);
    // It takes 0.2 s before it is tried again, and what was buffered bridges a part.
    let outage = |ms: i64| seamless.freeze((ms + 500) as f64);
    let error = seamless.until(GoesOn::Error);
    let tries = json!({ "maxReconnects": 2 });
    vec![
        row(world, "nothing for 3 s, then a burst", seamless.freeze(3200.0), |_, plan| {
            plan.hold(FAULT, FAULT + 3000)
        }),
        visits(world, "the response ends, the stream is there", outage(0), Step::End, |live| {
            live()
        }),
        visits(world, "connection reset, the stream is there", outage(0), Step::Reset, |live| {
            live()
        }),
        absent(world, "connection reset, away for 1 s", outage(500), FAULT + 1000),
        again_from_0(world, "connection reset, the clock begins again", outage(0)),
        Row {
            config: tries,
            ..visits(world, "connection reset, gone for good", error, Step::Reset, |_| {
                After::Nothing
            })
        },
        dead(world, "the network is dead, the stream is there", outage(5000 + 250)),
        visits(world, "connection reset, then 404", error, Step::Reset, |_| After::Status(404)),
        visits(
            world,
            "the response ends, then 404",
            seamless.until(GoesOn::Complete),
            Step::End,
            |_| After::Status(404),
        ),
    ]
}

/// The publisher's clock.
pub fn clocks(world: &Arc<World>) -> Vec<Row> {
    let jump = |name, by: i64| {
        row(world, name, Limits::seamless(JUMP), move |_, plan| plan.shift(JUMP, by))
    };
    // The clock shows BASE + the world's time.
    let crossing = |name, limit: i64| {
        row(world, name, Limits::seamless(JUMP), move |_, plan| plan.shift(0, limit - BASE - JUMP))
    };
    let one = |name, kind: TagKind| {
        row(world, name, Limits::seamless(JUMP), move |_, plan| {
            plan.change(JUMP, |_, tag| {
                if tag.kind() == kind { retimed(&tag, tag.time() + 5000) } else { Some(tag) }
            });
        })
    };
    // How much of the time without anything is bridged by what was buffered is luck.
    let limits = Limits::seamless(FAULT);
    let away = limits.freeze(AWAY as f64 + limits.freeze);
    let restart = |name, header: bool| {
        row(world, name, away, move |world, plan| restart(world, plan, header))
    };
    vec![
        jump("timestamps +10 s", 10_000),
        jump("timestamps -10 s", -10_000),
        jump("timestamps +1 h", 3_600_000),
        jump("timestamps -1 h", -3_600_000),
        jump("timestamps +24 h", 86_400_000),
        crossing("clock crosses 2^24 ms", 1 << 24),
        crossing("clock crosses 2^31 ms", 1 << 31),
        crossing("clock crosses 2^32 ms", 1 << 32),
        one("only sound's timestamps +5 s", TagKind::Audio),
        one("only pictures' timestamps +5 s", TagKind::Video),
        restart("publisher restarts", false),
        restart("publisher restarts, with an FLV header", true),
    ]
}

/// Tracks that are not what was promised, or change.
pub fn tracks(world: &Arc<World>) -> Vec<Row> {
    let playhead = Limits::seamless(FAULT).until(GoesOn::Playhead);
    let late = Limits::seamless(LATE);
    let without = |name, limits, kind: TagKind, from: i64, to: i64| {
        row(world, name, limits, move |_, plan| {
            plan.change(0, |at, tag| {
                ((tag.kind() != kind) || !(from..to).contains(&at)).then_some(tag)
            });
        })
    };
    // The sequence header comes with the track; a picture's first group begins at a keyframe.
    let after = |name, limits, kind: TagKind| {
        row(world, name, limits, move |world, plan| {
            plan.change(0, |at, tag| ((tag.kind() != kind) || at >= LATE).then_some(tag));
            for head in world.small.heads_of(kind).rev() {
                plan.prepend(LATE, Step::Send(stamped(head, BASE + LATE)));
            }
        })
    };
    let becomes = |name, what: fn(&World) -> &Footage| {
        row(world, name, Limits::seamless(FAULT), move |world, plan| {
            plan.cut(FAULT);
            plan.append(Plan::live(what(world), FAULT).from(BASE));
        })
    };
    vec![
        without("promised sound never comes", Limits::seamless(FAULT), TagKind::Audio, 0, i64::MAX),
        without("promised pictures never come", playhead, TagKind::Video, 0, i64::MAX),
        after("sound comes 3 s late", late, TagKind::Audio),
        after("pictures come 3 s late", Limits { first: 4500.0, ..late }, TagKind::Video),
        without("sound stops", Limits::seamless(JUMP), TagKind::Audio, JUMP, i64::MAX),
        without("pictures stop", playhead, TagKind::Video, JUMP, i64::MAX),
        becomes("size and profile change", |world| &world.large),
        becomes("codec change, H.264 to VP9", |world| &world.vp9),
    ]
}

/// Bytes that are lost or wrong.
pub fn damage(world: &Arc<World>) -> Vec<Row> {
    let limits = Limits::seamless(FAULT).freeze((GOP_MS + 300) as f64);
    let size = |name, change: fn(usize) -> usize| {
        picture(world, name, limits, move |bytes| {
            let size = change(bytes.len() - Tag::HEADER_LEN - Tag::TRAILER_LEN);
            let [.., high, middle, low] = size.to_be_bytes();
            bytes[1..4].copy_from_slice(&[high, middle, low]);
        })
    };
    vec![
        picture(world, "noise in a picture's slice", limits, |bytes| {
            let slice = Tag::HEADER_LEN + 5 + 4 + 8;
            let end = bytes.len() - Tag::TRAILER_LEN;
            noise(&mut bytes[slice..end]);
        }),
        picture(world, "a NAL length past its tag", limits, |bytes| {
            let at = Tag::HEADER_LEN + 5;
            bytes[at..at + 4].copy_from_slice(&[0, 1, 0xE2, 0x40]);
        }),
        size("a tag's size too small by 100", |size| size - 100),
        size("a tag's size too large by 5000", |size| size + 5000),
        size("a tag's size of 16 MB", |_| 0xFF_FFF0),
        row(world, "777 bytes of noise between tags", limits, |_, plan| {
            let mut bytes = vec![0; 777];
            noise(&mut bytes);
            plan.insert(DAMAGE, Step::Send(bytes));
        }),
    ]
}

/// The faults that are also played in Firefox.
pub fn core(world: &Arc<World>) -> Vec<Row> {
    let all = [network(world), clocks(world), tracks(world)];
    let mut rows: Vec<_> =
        all.into_iter().flatten().filter(|row| CORE.contains(&row.name)).collect();
    for row in rows.iter_mut().filter(|row| row.name == "size and profile change") {
        // From there on the pictures are reordered. Of those Firefox loses most unless enough of them are ahead of the
        // playhead, without this player too: with 6 to 9 it shows 71 to 83 of 200, with 12 it shows 188. So 0.72 s are
        // kept ahead where 0.28 s were before.
        row.limits.latency += 440.0;
    }
    rows
}

/// The live stream with something done to it.
fn row(
    world: &Arc<World>,
    name: &'static str,
    limits: Limits,
    change: impl Fn(&World, &mut Plan) + Send + Sync + 'static,
) -> Row {
    let world = world.clone();
    let script = move |_, now| {
        let mut plan = Plan::live(&world.small, now).from(BASE);
        change(&world, &mut plan);
        After::Stream(plan)
    };
    Row { name, limits, config: json!({}), script: Arc::new(script) }
}

/// The stream up to the fault, and then what a viewer finds who comes back.
fn visits(
    world: &Arc<World>,
    name: &'static str,
    limits: Limits,
    last: Step,
    again: impl Fn(&dyn Fn() -> After) -> After + Send + Sync + 'static,
) -> Row {
    let world = world.clone();
    let script = move |visit, now| {
        let live = || After::Stream(Plan::live(&world.small, now).from(BASE));
        match (visit, live()) {
            (0, After::Stream(mut plan)) => {
                plan.cut(DAMAGE);
                plan.insert(DAMAGE, last.clone());
                After::Stream(plan)
            }
            _ => again(&live),
        }
    };
    Row { name, limits, config: json!({}), script: Arc::new(script) }
}

/// Nothing comes any more, and nobody says why; who asks again is answered.
fn dead(world: &Arc<World>, name: &'static str, limits: Limits) -> Row {
    let world = world.clone();
    let script = move |visit, now| {
        let mut plan = Plan::live(&world.small, now).from(BASE);
        if visit == 0 {
            plan.cut(DAMAGE);
            plan.insert(DAMAGE + 3_600_000, Step::End);
        }
        After::Stream(plan)
    };
    Row { name, limits, config: json!({}), script: Arc::new(script) }
}

/// Reset, and nobody there until `until`.
fn absent(world: &Arc<World>, name: &'static str, limits: Limits, until: i64) -> Row {
    let world = world.clone();
    let script = move |visit, now| {
        let mut plan = Plan::live(&world.small, now).from(BASE);
        match visit {
            0 => {
                plan.cut(DAMAGE);
                plan.insert(DAMAGE, Step::Reset);
            }
            _ if now < until => return After::Nothing,
            _ => {}
        }
        After::Stream(plan)
    };
    Row { name, limits, config: json!({}), script: Arc::new(script) }
}

/// Reset; the stream that is there then has a clock that begins again, at times that were played already.
fn again_from_0(world: &Arc<World>, name: &'static str, limits: Limits) -> Row {
    let world = world.clone();
    let script = move |visit, now| {
        let live = Plan::live(&world.small, now);
        if visit > 0 {
            return After::Stream(live.from(-world.small.keyframe_before(now)));
        }
        let mut plan = live;
        plan.cut(DAMAGE);
        plan.insert(DAMAGE, Step::Reset);
        After::Stream(plan)
    };
    Row { name, limits, config: json!({}), script: Arc::new(script) }
}

/// The stream with one picture in the middle of a group changed.
fn picture(
    world: &Arc<World>,
    name: &'static str,
    limits: Limits,
    change: impl Fn(&mut Vec<u8>) + Send + Sync + 'static,
) -> Row {
    let fits =
        |tag: &Tag| tag.kind() == TagKind::Video && !is_keyframe(tag) && tag.data().len() > 200;
    row(world, name, limits, move |_, plan| plan.damage(DAMAGE, fits, |bytes| change(bytes)))
}

/// A second without anything; then the heads again, and the clock from 0.
fn restart(world: &World, plan: &mut Plan, header: bool) {
    let back = FAULT + AWAY;
    plan.change(FAULT, |at, tag| match at < back {
        true => None,
        false => retimed(&tag, tag.time() - BASE - back),
    });
    for head in world.small.heads.iter().rev() {
        plan.prepend(back, Step::Send(stamped(head, 0)));
    }
    if header {
        let flags = Header { has_audio: true, has_video: true };
        plan.prepend(back, Step::Send(flags.to_bytes().to_vec()));
    }
}

fn retimed(tag: &Tag, time: i64) -> Option<Tag> {
    Tag::new(tag.kind(), time, tag.data()).ok()
}

fn stamped(tag: &Tag, time: i64) -> Vec<u8> {
    retimed(tag, time).map(|tag| tag.bytes().to_vec()).unwrap_or_default()
}

/// The same noise every time, without a zero byte, so that no tag is found in it by luck.
fn noise(bytes: &mut [u8]) {
    let mut state = 0x1234_5677_u32;
    for byte in bytes {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        *byte = (state >> 8) as u8 | 1;
    }
}

/// The publisher's clock at the world's 0: it has been live for two hours.
const BASE: i64 = 7_200_000;

/// The world's time of faults: a keyframe is there.
pub const FAULT: i64 = 5000;

/// How long a publisher that restarts is away, milliseconds.
const AWAY: i64 = 1000;

/// The world's time of jumps: in the middle of a group.
const JUMP: i64 = 5400;

/// The world's time of damage: the fifth picture of a group.
const DAMAGE: i64 = 5200;

/// The world's time at which a late track comes: three seconds after the viewer, at a keyframe.
const LATE: i64 = 4000;

/// See [`core`].
const CORE: [&str; 7] = [
    "nothing for 3 s, then a burst",
    "connection reset, the stream is there",
    "timestamps +10 s",
    "timestamps -10 s",
    "publisher restarts",
    "promised sound never comes",
    "size and profile change",
];
