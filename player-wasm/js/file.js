/** Finds a time in a file, and reads on from there. @module */

/**
 * @typedef {object} Known
 * @property {{times: number[], filepositions: number[]}} [keyframes] the index of `onMetaData`
 * @property {number} duration seconds; 0: not known
 * @property {number} size bytes; 0: not known
 * @property {boolean} hasVideo
 */

/**
 * The request of a file from `from` on, by a header or as the page wants it.
 * @param {any} request @param {any} config @param {number} from
 */
export function part(request, config, from) {
    const { url, headers } = request;
    if (config.seekType === 'param') {
        const address = new URL(url);
        address.searchParams.set(config.seekParamStart ?? 'bstart', String(from));
        return { ...request, url: address.href };
    }
    if (config.seekType === 'custom' && config.seekHandler) {
        const handler = new config.seekHandler();
        return { ...request, ...handler.getConfig(url, { from, to: -1 }) };
    }
    return { ...request, headers: { ...headers, Range: `bytes=${from}-` } };
}

/** Whether an answer is the part that was asked for and not all of the file. @param {{status?: number, headers?: Headers}} answer @param {any} config */
export function isPart({ status, headers }, config) {
    return (config.seekType ?? 'range') !== 'range' || status === 206 || headers?.has('content-range');
}

/**
 * Opens a file at or before a time.
 * @param {number} time seconds
 * @param {Known} known
 * @param {(from: number, sink: import('./source.js').Sink) => {transport: string, close: () => void}} open
 * @param {import('./source.js').Sink} sink gets what is read from the place that is found
 * @returns {Promise<{from: number, source: {transport: string, close: () => void}, accept: () => void} | undefined>} nothing: there is no place, and `sink` was told why
 */
export async function openAt(time, { keyframes, duration, size, hasVideo }, open, sink) {
    const index = keyframes?.times?.findLastIndex((at) => at <= time) ?? -1;
    const position = index < 0 ? undefined : keyframes?.filepositions?.[index];
    if (position) return attempt(position, open, sink);
    if (!duration || !size) return undefined;
    // Bytes go with time, more or less; what is found corrects that.
    let low = { from: 0, time: 0 };
    let high = { from: size, time: duration };
    let margin = MARGIN;
    for (let tries = 1; ; tries += 1) {
        const share = Math.max(0, time - margin - low.time) / (high.time - low.time);
        const from = Math.floor(low.from + (high.from - low.from) * Math.min(1, share));
        const found = await attempt(from, open, sink, hasVideo ? VIDEO : AUDIO);
        if (!found) return undefined;
        const late = found.time === undefined || found.time > time;
        const isLast = tries >= MAX_TRIES;
        if ((!late && time - found.time < NEAR) || (isLast && !late)) return found;
        found.source.close();
        if (isLast) return attempt(low.from, open, sink);
        if (late) {
            high = { from, time: found.time ?? high.time };
            margin *= 2;
        } else {
            low = { from, time: found.time };
        }
    }
}

/**
 * @param {number} from @param {(from: number, sink: import('./source.js').Sink) => {transport: string, close: () => void}} open
 * @param {import('./source.js').Sink} sink @param {number} [kind] of the tags whose first time is looked for
 * @returns {Promise<any>}
 */
function attempt(from, open, sink, kind) {
    return new Promise((resolve) => {
        /** @type {Uint8Array[] | undefined} */
        let held = [];
        let goOn = () => {};
        let ended;
        const accept = () => {
            const chunks = held ?? [];
            held = undefined;
            for (const bytes of chunks) sink.data(bytes);
            ended?.();
            goOn();
        };
        const settle = (time) => resolve({ from, time, source, accept });
        const source = open(from, {
            opened: (answer) => {
                if (!sink.opened(answer)) resolve(source.close());
                else if (!kind) settle();
            },
            data: (bytes) => {
                if (!held) return sink.data(bytes);
                held.push(bytes);
                const time = kind ? startTime(held, kind) : 0;
                if (time === undefined) return undefined;
                settle(time);
                return new Promise((resume) => {
                    goOn = resume;
                });
            },
            ended: () => {
                if (!held) return sink.ended();
                ended = sink.ended;
                settle();
            },
            failed: (failure) => {
                if (!held) return sink.failed(failure);
                sink.failed(failure);
                resolve(undefined);
            },
        });
    });
}

/** The time of the first keyframe, or of the first sound, seconds. @param {Uint8Array[]} chunks @param {number} kind */
function startTime(chunks, kind) {
    const length = chunks.reduce((sum, { length }) => sum + length, 0);
    const bytes = new Uint8Array(length);
    let end = 0;
    for (const chunk of chunks) {
        bytes.set(chunk, end);
        end += chunk.length;
    }
    const view = new DataView(bytes.buffer);
    for (let at = 0; at + 16 < length; ) {
        const size = 11 + (view.getUint32(at) & 0xffffff);
        const isTag = [AUDIO, VIDEO, 18].includes(bytes[at]) && (view.getUint32(at + 7) & 0xffffff) === 0 && size < LARGEST;
        // A tag is followed by its own size.
        if (!isTag || (at + size + 4 <= length && view.getUint32(at + size) !== size)) {
            at += 1;
            continue;
        }
        if (at + size + 4 > length) return undefined;
        // Frame type 1, plain or with the enhanced head; not a configuration.
        const [first, second] = [bytes[at + 11], bytes[at + 12]];
        const isConfig = kind === VIDEO && first >> 7 ? (first & 15) === 0 : second === 0;
        const starts = kind === AUDIO || ((first >> 4) & 7) === 1;
        if (bytes[at] === kind && starts && !isConfig) return ((view.getUint32(at + 4) >>> 8) | (bytes[at + 7] << 24)) / 1000;
        at += size + 4;
    }
    return undefined;
}

/** How far before the time is looked at first, seconds: a usual group of pictures. */
const MARGIN = 2;

/** A keyframe so little before the time, seconds, is near enough. */
const NEAR = 8;

const MAX_TRIES = 4;

const AUDIO = 8;
const VIDEO = 9;

/** What claims to be a larger tag than this, bytes, is none. */
const LARGEST = 4 << 20;
