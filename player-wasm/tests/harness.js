/** What the playback tests are made of: a clip, live streams of it, players and their observations. */

// The server of wasm-bindgen's test runner may never answer the fifth connection that is open at
// once. One after the other, the package's files come over one; afterwards they are in the cache,
// for workers too.
const MODULES = ['errors', 'events', 'messages', 'logging', 'base', 'config', 'report', 'loader', 'native', 'link', 'playhead', 'wasm', 'words', 'player', 'index', 'source', 'script', 'sei', 'engine', 'explain', 'output', 'recorder', 'connection', 'session', 'file', 'file-connection', 'file-session', 'managed', 'remote', 'socket', 'parts', 'host', 'main', 'outlet'];
// With esbuild most of them are part of another.
for (const module of MODULES) await import(`/pkg/${module}.js`).catch(() => {});
for (const file of ['worker.js', 'worker-live.js', 'pushpull_player_bg.wasm']) await (await fetch(`/pkg/${file}`)).arrayBuffer();

export const { default: flv } = await import('/pkg/index.js');

/** Everything waits for a condition; this bounds the wait where the condition never comes, ms. */
const PATIENCE = 30_000;

/** @param {() => unknown} condition @param {string | (() => string)} what */
export async function until(condition, what) {
    const end = performance.now() + PATIENCE;
    for (;;) {
        const met = condition();
        if (met) return met;
        if (performance.now() > end) throw new Error(`waited in vain for: ${typeof what === 'string' ? what : what()}`);
        await new Promise((resolve) => setTimeout(resolve, 20));
    }
}

export function assert(condition, message) {
    if (!condition) throw new Error(message);
}

export function assertEqual(found, expected, what) {
    const [a, b] = [JSON.stringify(found), JSON.stringify(expected)];
    assert(a === b, `${what}: found ${a}, expected ${b}`);
}

const HEADER = 13;
const AUDIO = 8;
const VIDEO = 9;

/** The clip's tags. */
async function loadClip() {
    const response = await realFetch('/testdata/clip.flv');
    const bytes = new Uint8Array(await response.arrayBuffer());
    const view = new DataView(bytes.buffer);
    const tags = [];
    for (let at = HEADER; at < bytes.length; ) {
        const end = at + 11 + (view.getUint32(at) & 0xffffff) + 4;
        const [kind, first, second] = [bytes[at], bytes[at + 11], bytes[at + 12]];
        const isConfig = (kind === VIDEO || first >> 4 === 10) && second === 0;
        const time = view.getUint32(at + 4) >>> 8;
        const isEnd = kind === VIDEO && second === 2;
        if (!isEnd) tags.push({ kind, time, isConfig: kind === 18 || isConfig, bytes: bytes.slice(at, end) });
        at = end;
    }
    return tags;
}

const realFetch = globalThis.fetch.bind(globalThis);
export const clip = loadClip();
/** Answers of made-up addresses: a page's fetch can be told, a worker's cannot. @type {Map<string, (signal?: AbortSignal) => Response>} */
const answers = new Map();

globalThis.fetch = (url, options) => {
    const answer = answers.get(String(url));
    return answer ? Promise.resolve(answer(options?.signal)) : realFetch(url, options);
};

let served = 0;

/**
 * An address at which the page's fetch finds this body, and whoever asks again another one or a status, if given.
 * @param {(signal?: AbortSignal) => ReadableStream} body @param {number | typeof body} [then]
 */
export function serve(body, then) {
    served += 1;
    const url = new URL(`/made-up/${served}.flv`, location.href).href;
    let visits = 0;
    answers.set(url, (signal) => {
        visits += 1;
        if (visits > 1 && typeof then === 'number') return new Response(null, { status: then });
        return new Response((visits > 1 && then ? then : body)(signal));
    });
    return url;
}

/** A body of these pieces, all there at once. @param {Uint8Array[]} pieces */
export function bodyOf(pieces) {
    return () =>
        new ReadableStream({
            start(controller) {
                for (const piece of pieces) controller.enqueue(piece);
                controller.close();
            },
        });
}

/** One tag. @param {number} kind @param {number} time ms @param {number[] | Uint8Array} data */
export function tag(kind, time, data) {
    const bytes = new Uint8Array(11 + data.length + 4);
    const view = new DataView(bytes.buffer);
    view.setUint32(0, (kind << 24) | data.length);
    view.setUint32(4, ((time & 0xffffff) << 8) | (time >>> 24));
    bytes.set(data, 11);
    view.setUint32(11 + data.length, 11 + data.length);
    return bytes;
}

/** Promises sound and pictures. */
export const flvHeader = new Uint8Array([0x46, 0x4c, 0x56, 1, 5, 0, 0, 0, 9, 0, 0, 0, 0]);

/** Promises pictures. */
export const picturesHeader = flvHeader.map((byte, at) => (at === 4 ? 1 : byte));

/**
 * The clip again and again at the pace of life, as a server sends it: from a keyframe on, at once up to now.
 *
 * @typedef {object} LiveOptions
 * @property {Uint8Array} [header] the FLV header; default: it promises sound and pictures
 * @property {number} [behind] ms of stored media sent at once; default: 500
 * @property {(tag: {kind: number, time: number}) => boolean} [keep] which tags are sent; times from 0
 * @property {(time: number) => number} [clock] the publisher's clock, ms, for a time from 0
 * @property {(time: number) => Uint8Array | undefined} [noise] bytes before the first tag at or after a time
 * @property {(kind: number, data: Uint8Array) => Uint8Array} [replace] what is sent instead of a tag's data
 * @property {[number, number]} [silence] from when to when nothing is sent, ms
 * @property {number} [end] when it ends, ms
 * @property {boolean} [breaks] it does not end but break off
 * @property {number} [piece] bytes of one chunk
 * @param {LiveOptions} [options]
 */
export async function live(options = {}) {
    const all = await clip;
    const media = all.filter((tag) => !tag.isConfig);
    const length = 4000;
    const { header = flvHeader, behind = 500, keep = () => true, clock = (time) => time, replace = (_, data) => data, piece = 1 << 20 } = options;
    return (signal) => {
        let timer;
        return new ReadableStream({
            start(controller) {
                const send = (bytes) => {
                    for (let at = 0; at < bytes.length; at += piece) controller.enqueue(bytes.slice(at, at + piece));
                };
                const stamped = ({ kind, bytes }, time) => tag(kind, clock(time) >>> 0, replace(kind, bytes.subarray(11, -4)));
                send(header);
                for (const config of all.filter((tag) => tag.isConfig && keep({ kind: tag.kind, time: 0 }))) {
                    send(stamped(config, 0));
                }
                const start = performance.now() - behind;
                let next = 0;
                let last = -1;
                const step = () => {
                    const now = performance.now() - start;
                    const [from, to] = options.silence ?? [0, 0];
                    if (now >= from && now < to) return;
                    for (;;) {
                        const source = media[next % media.length];
                        const time = Math.floor(next / media.length) * length + source.time;
                        if (time > now) break;
                        const noise = options.noise?.(time, last);
                        if (noise) send(noise);
                        last = time;
                        if (keep({ kind: source.kind, time })) send(stamped(source, time));
                        next += 1;
                    }
                    if (options.end !== undefined && now > options.end) {
                        clearInterval(timer);
                        if (options.breaks) controller.error(new TypeError('network error'));
                        else controller.close();
                    }
                };
                timer = setInterval(step, 10);
                step();
                signal?.addEventListener('abort', () => {
                    clearInterval(timer);
                    try {
                        controller.error(signal.reason);
                    } catch {
                        // It had ended.
                    }
                });
            },
            cancel: () => clearInterval(timer),
        });
    };
}

export const isAudio = ({ kind }) => kind === AUDIO;

/**
 * A player that plays, and what was seen of it. End it with `end()`.
 * @param {string} url @param {object} [config] @param {object} [source]
 */
export function play(url, config = {}, source = {}) {
    const video = document.createElement('video');
    video.muted = true;
    video.width = 320;
    document.body.append(video);
    const seen = { errors: [], warnings: [], completed: false, statistics: undefined, media: undefined, metadata: undefined, frames: 0, playedTo: 0 };
    const player = flv.createPlayer(
        { type: 'flv', isLive: true, url, ...source },
        { statisticsInfoReportInterval: 100, ...config },
    );
    const { Events } = flv;
    player.on(Events.ERROR, (type, detail, info) => seen.errors.push({ type, detail, ...info }));
    player.on(Events.WARNING, (type, detail, info) => {
        // On a busy machine the decoder stands still now and then; whether it does so too often the fault matrix judges.
        if (info.context.step !== 'nudge') seen.warnings.push({ type, detail, ...info });
    });
    player.on(Events.LOADING_COMPLETE, () => {
        seen.completed = true;
    });
    player.on(Events.MEDIA_INFO, (info) => {
        seen.media = info;
    });
    player.on(Events.METADATA_ARRIVED, (metadata) => {
        seen.metadata = metadata;
    });
    player.on(Events.STATISTICS_INFO, (statistics) => {
        seen.statistics = statistics;
    });
    const onFrame = (_, { mediaTime }) => {
        seen.frames += 1;
        seen.playedTo = mediaTime;
        video.requestVideoFrameCallback(onFrame);
    };
    video.requestVideoFrameCallback(onFrame);
    player.attachMediaElement(video);
    player.load();
    const played = player.play();
    const end = () => {
        player.destroy();
        video.remove();
    };
    return { video, player, seen, played, end };
}

/** Waits until the element has played for `seconds` more and shown pictures all the while. */
export async function playsOn({ video, seen }, seconds) {
    const [time, frames] = [video.currentTime, seen.frames];
    const alright = () => {
        assert(seen.errors.length === 0, `error: ${JSON.stringify(seen.errors)}`);
        return video.currentTime >= time + seconds && seen.frames >= frames + seconds * 5;
    };
    const now = () => JSON.stringify([video.currentTime, seen]);
    await until(alright, () => `${seconds} s of play from ${time.toFixed(2)}; now ${now()}`);
}

/** The first error. */
export async function failure({ seen }) {
    return until(() => seen.errors[0], 'an error event');
}
