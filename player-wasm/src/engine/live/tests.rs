use super::*;

/// A stream and an element that does what it is told, in steps of 0.1 s.
struct Scene {
    live: Live,
    s: Situation,
    rates: Vec<f64>,
    jumps: Vec<f64>,
}

impl Scene {
    fn behind(seconds: f64) -> Self {
        let s = Situation {
            now: 1000.0,
            position: 0.0,
            edge: seconds,
            appended: Some(Range { start: 0.0, end: seconds }),
            playing: true,
            waiting: false,
            presented: true,
            sound: true,
            audible: true,
            jitter: 0.04,
            frame: 0.033,
            hold: 0.0,
            late: false,
        };
        Self {
            live: Live::new(Config { floor: Some(0.2), ..Config::default() }),
            s,
            rates: vec![],
            jumps: vec![],
        }
    }

    /// Lets `seconds` pass in which the stream goes on `speed` times as fast as it plays.
    fn run(&mut self, seconds: f64, speed: f64) -> &mut Self {
        for _ in 0..(seconds * 10.0) as usize {
            self.s.now += 0.1;
            self.s.edge += 0.1 * speed;
            self.s.late = speed == 0.0;
            self.s.waiting = self.s.position >= self.s.edge;
            if !self.s.waiting && self.s.playing {
                self.s.position = (self.s.position + 0.1 * self.live.rate()).min(self.s.edge);
            }
            self.s.appended = Some(Range { start: 0.0, end: self.s.edge });
            match self.live.update(&self.s) {
                Some(Action::Rate(rate)) => self.rates.push(rate),
                Some(Action::Seek(to)) => {
                    self.s.position = to;
                    self.jumps.push(to);
                }
                None => {}
            }
        }
        self
    }

    fn distance(&self) -> f64 {
        self.s.edge - self.s.position
    }
}

#[test]
fn a_start_two_seconds_behind_is_made_good_without_a_seek() {
    let mut muted = Scene::behind(2.0);
    muted.s.audible = false;
    muted.run(3.0, 1.0);
    assert!(muted.distance() < 0.35, "{}", muted.distance());
    assert!(muted.jumps.is_empty());
    let mut heard = Scene::behind(2.0);
    heard.run(5.0, 1.0);
    assert!(heard.distance() < 0.4, "{}", heard.distance());
    assert!(heard.rates.iter().all(|&rate| rate <= 1.5));
}

#[test]
fn settled_play_is_left_alone() {
    let mut scene = Scene::behind(0.22);
    scene.run(60.0, 1.0);
    assert!(scene.rates.is_empty(), "{:?}", scene.rates);
    assert_eq!(scene.live.stalls(), 0);
}

#[test]
fn a_drifting_publisher_clock_is_followed_inaudibly() {
    let mut scene = Scene::behind(0.22);
    scene.run(600.0, 1.001);
    assert!((0.1..0.4).contains(&scene.distance()), "{}", scene.distance());
    assert!(scene.rates.iter().all(|rate| (0.95..=1.1).contains(rate)), "{:?}", scene.rates);
    scene.run(600.0, 0.999);
    assert!((0.1..0.4).contains(&scene.distance()), "{}", scene.distance());
    assert!(scene.jumps.is_empty() && scene.live.stalls() == 0);
}

#[test]
fn far_behind_it_seeks_once() {
    let mut scene = Scene::behind(20.0);
    scene.run(10.0, 1.0);
    assert_eq!(scene.jumps.len(), 1);
    assert!(scene.distance() < 0.4, "{}", scene.distance());
}

#[test]
fn no_seek_before_a_picture() {
    let mut scene = Scene::behind(20.0);
    scene.s.presented = false;
    scene.run(10.0, 1.0);
    assert!(scene.jumps.is_empty());
    scene.s.presented = true;
    scene.run(0.2, 1.0);
    assert_eq!(scene.jumps.len(), 1);
}

#[test]
fn no_seek_into_what_is_not_there() {
    let mut scene = Scene::behind(20.0);
    scene.s.now += 1.0;
    scene.s.appended = Some(Range { start: 0.0, end: 0.4 });
    assert_eq!(scene.live.update(&scene.s).map(|a| matches!(a, Action::Seek(_))), Some(false));
}

#[test]
fn a_paused_element_is_not_touched() {
    let mut scene = Scene::behind(20.0);
    scene.s.playing = false;
    scene.run(20.0, 1.0);
    assert!(scene.jumps.is_empty() && scene.rates.is_empty());
}

#[test]
fn short_stalls_raise_the_target_and_are_forgotten() {
    let mut scene = Scene::behind(0.22);
    scene.run(2.0, 1.0);
    let before = scene.live.target();
    scene.run(0.6, 0.0).run(1.0, 1.0);
    assert_eq!(scene.live.stalls(), 1);
    assert!(scene.live.target() > before * 1.3, "{}", scene.live.target());
    scene.run(90.0, 1.0);
    assert!((scene.live.target() - before).abs() < 0.01, "{}", scene.live.target());
    assert!((scene.distance() - before).abs() < 0.1, "{}", scene.distance());
}

#[test]
fn stall_after_stall_is_unsteady() {
    let mut scene = Scene::behind(0.22);
    for _ in 0..4 {
        assert!(!scene.live.is_unsteady(scene.s.now));
        scene.run(2.0, 1.0).run(2.0, 0.0);
    }
    assert!(scene.live.is_unsteady(scene.s.now));
    scene.run(40.0, 1.0);
    assert!(!scene.live.is_unsteady(scene.s.now));
}

#[test]
fn a_long_stall_leaves_no_trace() {
    let mut scene = Scene::behind(0.22);
    scene.s.audible = false;
    scene.run(5.0, 1.0).run(3.0, 0.0);
    scene.s.edge += 3.0;
    scene.run(5.0, 1.0);
    assert_eq!(scene.live.stalls(), 1);
    assert!(scene.distance() < 0.35, "{}", scene.distance());
}

#[test]
fn after_any_stall_or_burst_it_is_back_within_three_seconds() {
    for audible in [true, false] {
        for late in [0.3, 0.6, 1.0, 1.5, 2.0, 3.0, 10.0] {
            // A stall, then everything at once; and a sudden burst without one.
            for stall in [0.0, late] {
                let mut scene = Scene::behind(0.22);
                scene.s.audible = audible;
                scene.run(10.0, 1.0).run(stall, 0.0);
                scene.s.edge += late;
                scene.s.appended = Some(Range { start: 0.0, end: scene.s.edge });
                scene.run(3.2, 1.0);
                let distance = scene.distance() - scene.live.target();
                assert!(distance < 0.12, "{audible} {late} {stall}: {distance}");
            }
        }
    }
}

/// A browser that ran out takes its time to begin again.
#[test]
fn when_nothing_comes_what_is_left_is_made_to_last() {
    let mut scene = Scene::behind(0.32);
    scene.live = Live::new(Config::default());
    scene.run(5.0, 1.0).run(0.9, 0.0);
    assert!(!scene.s.waiting, "{}", scene.distance());
    assert!(scene.live.rate() < 0.3, "{}", scene.live.rate());
    scene.run(0.1, 1.0);
    assert_eq!(scene.live.rate(), 1.0, "at once, and not anything else");
    scene.run(3.0, 1.0);
    assert!((0.2..0.4).contains(&scene.distance()), "{}", scene.distance());
    assert!(scene.rates.iter().all(|&rate| rate <= 1.0), "{:?}", scene.rates);
}

#[test]
fn uneven_arrival_gets_a_larger_distance() {
    let mut scene = Scene::behind(0.22);
    scene.s.jitter = 0.4;
    scene.run(30.0, 1.0);
    assert!((0.4..0.65).contains(&scene.distance()), "{}", scene.distance());
}

#[test]
fn pictures_alone_need_less() {
    let mut scene = Scene::behind(0.3);
    scene.live = Live::new(Config::default());
    scene.run(20.0, 1.0);
    assert!((0.23..=0.34).contains(&scene.distance()), "{}", scene.distance());
    scene.s.sound = false;
    scene.run(20.0, 1.0);
    assert!((0.1..=0.22).contains(&scene.distance()), "{}", scene.distance());
}

#[test]
fn the_users_limits_hold() {
    let mut scene = Scene::behind(2.0);
    scene.live = Live::new(Config { floor: Some(1.0), ceiling: 1.0, max_rate: Some(1.2) });
    scene.s.jitter = 3.0;
    scene.run(20.0, 1.0);
    assert!((scene.live.target() - 1.0).abs() < 1e-9);
    assert!(scene.rates.iter().all(|&rate| rate <= 1.2), "{:?}", scene.rates);
    assert!((scene.distance() - 1.0).abs() < 0.1, "{}", scene.distance());
}
