/**
 * The engine: the WebAssembly of `player-wasm/src`, and its numbers by name.
 *
 * What it exports are functions of numbers, the methods of `Engine` in `src/lib.rs`, where each is
 * explained; only text needs to be read out of its memory. Every engine is an instance of its own: when
 * nobody has it any more, its memory is gone, too.
 * @module
 */

/**
 * @typedef {Record<Method, (...numbers: (number | boolean)[]) => number> & Text} Engine
 *
 * @typedef {('set' | 'source_opened' | 'source_ended' | 'seek' | 'set_wall_clock' | 'headers' |
 *     'opened' | 'type_checked' | 'finished' | 'refused' | 'spoiled' | 'output_failed' | 'playhead' |
 *     'tick' | 'poll' | 'track' | 'a' | 'b' | 'code' |
 *     'captured' | 'stat' | 'info')} Method of numbers
 *
 * @typedef {object} Text
 * @property {() => string} text the operand
 * @property {(track: Track) => string} codec
 * @property {(track: Track) => boolean} has_track
 * @property {() => boolean} wants_data
 * @property {(bytes: Uint8Array, now: number) => void} feed gives the engine bytes of the stream
 * @property {() => Uint8Array<ArrayBuffer>} bytes those an operation is about, where the engine has them
 *
 * @typedef {number} Track
 * @typedef {number} Op
 */

/** @param {WebAssembly.Module} module @returns {Promise<Engine>} */
export async function startEngine(module) {
    const { exports } = await WebAssembly.instantiate(module);
    const engine = /** @type {any} */ (exports);
    const text = (/** @type {number} */ at) => decoder.decode(new Uint8Array(engine.memory.buffer, at, engine.len()));
    engine.start();
    return {
        ...engine,
        text: () => text(engine.text()),
        codec: (track) => text(engine.codec(track)),
        has_track: (track) => engine.has_track(track) !== 0,
        wants_data: () => engine.wants_data() !== 0,
        feed(bytes, now) {
            const at = engine.reserve(bytes.length);
            new Uint8Array(engine.memory.buffer, at, bytes.length).set(bytes);
            engine.commit(bytes.length, now);
        },
        bytes: () => new Uint8Array(engine.memory.buffer, engine.ptr(), engine.byte_len()),
    };
}

const decoder = new TextDecoder();

// The enumerations of `src`, whose tests compare them with these. The build writes the numbers where the
// names stand.

/** What `poll` wants done. */
export const Op = {
    None: 0,
    CheckType: 1,
    AddTrack: 2,
    ChangeType: 3,
    Append: 4,
    Remove: 5,
    Seek: 6,
    Rate: 7,
    MediaInfo: 8,
    Script: 9,
    Notice: 10,
    Fault: 11,
    Complete: 12,
    Rebuild: 13,
    Connect: 14,
    Upgrade: 15,
    Sei: 16,
};

/** A track. */
export const Track = {
    Video: 0,
    Audio: 1,
};

/** What can be set before the first input. */
export const Setting = {
    Live: 0,
    HasVideo: 1,
    HasAudio: 2,
    TargetLatency: 3,
    MaxTargetLatency: 4,
    MaxPlaybackRate: 5,
    BackBuffer: 6,
    SilenceWarning: 7,
    SilenceLimit: 8,
    Pacing: 9,
    MaxReconnects: 10,
    Seed: 11,
    VideoTrackId: 12,
    AudioTrackId: 13,
    FillAudio: 14,
    MaxQueueBytes: 15,
    Sei: 16,
    Gecko: 17,
};

/** What is known of the tracks. */
export const Info = {
    Width: 0,
    Height: 1,
    Fps: 2,
    Profile: 3,
    Level: 4,
    RefFrames: 5,
    ChromaFormat: 6,
    SarNum: 7,
    SarDen: 8,
    SampleRate: 9,
    Channels: 10,
    BitDepth: 11,
    ColourPrimaries: 12,
    Transfer: 13,
    Matrix: 14,
    ReorderFrames: 15,
};

/** A number of the statistics. */
export const Stat = {
    Latency: 0,
    TargetLatency: 1,
    Jitter: 2,
    Buffered: 3,
    Position: 4,
    PlaybackRate: 5,
    Speed: 6,
    VideoRate: 7,
    AudioRate: 8,
    Fps: 9,
    Decoded: 10,
    Dropped: 11,
    Appends: 12,
    Stalls: 13,
    Jumps: 14,
    Nudges: 15,
    Rebuilds: 16,
    Skipped: 17,
    Resyncs: 18,
    BadTags: 19,
    Discontinuities: 20,
    SilenceInserted: 21,
    SoundDropped: 22,
    CaptureLatency: 23,
    VideoBuffered: 24,
    AudioBuffered: 25,
    GopLength: 26,
    Reconnects: 27,
    BytesReceived: 28,
    KeyframesSeen: 29,
    AudioFilled: 30,
};

/** How many there are of each. */
export const Count = /* @__PURE__ */ counted({ Info, Stat });

/** @template {string} Name @param {Record<Name, object>} lists @returns {Record<Name, number>} */
function counted(lists) {
    return /** @type {any} */ (Object.fromEntries(Object.entries(lists).map(([name, list]) => [name, Object.keys(list).length])));
}

/** What was mended, or may mend itself. */
export const Notice = {
    Resync: 0,
    BadTag: 1,
    CodecUnsupported: 2,
    Discontinuity: 3,
    Silence: 4,
    Jump: 5,
    Nudge: 6,
    Rebuild: 7,
    LateTrack: 8,
    Output: 9,
    SoundMissing: 10,
    PictureMissing: 11,
    NoPicture: 12,
    BufferFull: 13,
    QueueFull: 14,
    Pacing: 15,
    Flush: 16,
    OtherTracks: 17,
    TrackMissing: 18,
};

/** Why playback cannot go on. */
export const Fault = {
    NotFlv: 0,
    BadHeader: 1,
    BadTags: 2,
    CodecUnsupported: 3,
    NoMedia: 4,
    Source: 5,
    Silence: 6,
    Stalled: 7,
    Output: 8,
};
