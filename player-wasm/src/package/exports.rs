//! The functions the package exports: the methods of [`Engine`], of the one engine of this instance.

use core::cell::{Cell, UnsafeCell};

use crate::engine::Stat;
use crate::{Engine, Info, Op, Setting, Track};

/// The engine, once [`start`] has made it.
struct Only(UnsafeCell<Option<Engine>>);

// SAFETY: one thread, see the module above.
unsafe impl Sync for Only {}

static ENGINE: Only = Only(UnsafeCell::new(None));

/// Makes the engine. It is the first to be called, and once.
// SAFETY of the names below: nothing else in the package is called so, or linking fails.
#[unsafe(no_mangle)]
extern "C" fn start() {
    // SAFETY: as in `engine`.
    unsafe { ENGINE.0.get().write(Some(Engine::new())) }
}

fn engine() -> &'static mut Engine {
    // SAFETY: each exported function asks once and lets go when it returns; as they call no
    // JavaScript, none runs inside another. So there is one reference at a time.
    match unsafe { &mut *ENGINE.0.get() } {
        Some(engine) => engine,
        None => core::arch::wasm32::unreachable(),
    }
}

/// Methods of the engine, with what JavaScript gives and takes.
macro_rules! exports {
    ($($name:ident($($argument:ident: $type:ty),*) $(-> $result:ty)?;)*) => {$(
        #[unsafe(no_mangle)]
        extern "C" fn $name($($argument: <$type as Given>::Wire),*) $(-> <$result as Taken>::Wire)? {
            let result = engine().$name($(<$type as Given>::read($argument)),*);
            exports!(@give result $($result)?)
        }
    )*};
    (@give $value:ident) => { $value };
    (@give $value:ident $type:ty) => { <$type as Taken>::write($value) };
}

exports! {
    set(setting: Setting, value: f64);
    reserve(len: u32) -> u32;
    commit(len: u32, now: f64);
    source_opened(now: f64);
    source_ended(clean: bool, retry: bool, now: f64);
    seek(time: f64, now: f64);
    set_wall_clock(offset: f64);
    headers();
    opened(now: f64);
    type_checked(track: Track, playable: bool, now: f64);
    finished(track: Track, now: f64);
    refused(track: Track);
    spoiled(track: Track);
    output_failed(now: f64);
    playhead(at: f64, time: f64, rate: f64, flags: u32, decoded: f64, dropped: f64);
    tick(now: f64);
    wants_data() -> bool;
    poll(now: f64) -> Op;
    track() -> Track;
    ptr() -> u32;
    byte_len() -> u32;
    a() -> f64;
    b() -> f64;
    code() -> u32;
    text() -> &'static str;
    captured(unix_ms: f64);
    stat(stat: Stat, now: f64) -> f64;
    has_track(track: Track) -> bool;
    codec(track: Track) -> &'static str;
    info(info: Info) -> f64;
}

/// What JavaScript gives.
trait Given {
    type Wire;
    fn read(wire: Self::Wire) -> Self;
}

/// What JavaScript takes.
trait Taken {
    type Wire;
    fn write(self) -> Self::Wire;
}

macro_rules! as_they_are {
    ($($type:ty),*) => {$(
        impl Given for $type {
            type Wire = Self;
            fn read(wire: Self) -> Self {
                wire
            }
        }

        impl Taken for $type {
            type Wire = Self;
            fn write(self) -> Self {
                self
            }
        }
    )*};
}

as_they_are!(u32, f64);

impl Given for bool {
    type Wire = u32;
    fn read(wire: u32) -> Self {
        wire != 0
    }
}

impl Taken for bool {
    type Wire = u32;
    fn write(self) -> u32 {
        self.into()
    }
}

/// The length of the text whose address was the last to be returned.
struct Len(Cell<usize>);

// SAFETY: one thread.
unsafe impl Sync for Len {}

static LEN: Len = Len(Cell::new(0));

#[unsafe(no_mangle)]
extern "C" fn len() -> usize {
    LEN.0.get()
}

/// Text is its address; [`len`] is asked for right after.
impl Taken for &str {
    type Wire = *const u8;
    fn write(self) -> *const u8 {
        LEN.0.set(self.len());
        self.as_ptr()
    }
}

macro_rules! by_number {
    ($($type:ty),*) => {$(
        impl Given for $type {
            type Wire = u32;
            fn read(wire: u32) -> Self {
                match Self::ALL.get(wire as usize) {
                    Some(value) => *value,
                    // `js/engine.js` has no other numbers.
                    None => core::arch::wasm32::unreachable(),
                }
            }
        }

        impl Taken for $type {
            type Wire = u32;
            fn write(self) -> u32 {
                self as u32
            }
        }
    )*};
}

by_number!(Setting, Stat, Info, Op, Track);
