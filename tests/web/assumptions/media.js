/** Fragmented MP4 taken apart, and elements to feed with it. @module */

/** A file as its init segment and one fragment (`moof` and `mdat`) for each sample or group. */
export class Movie {
    /** @param {string} url */
    static async open(url) {
        const movie = new Movie();
        const bytes = new Uint8Array(await (await fetch(url)).arrayBuffer());
        const boxes = [...boxesOf(bytes)];
        movie.init = bytes.slice(0, boxes.find(({ type }) => type === 'moof').from);
        movie.fragments = boxes
            .filter(({ type }) => type === 'moof')
            .map(({ from, to }) => bytes.slice(from, boxes.find((box) => box.type === 'mdat' && box.from === to).to));
        movie.timescale = view(movie.init).getUint32(find(movie.init, 'mdhd') + 20);
        return movie;
    }

    /** The init segment with a duration in `mvhd`, in its timescale. @param {number} duration */
    initLasting(duration) {
        const init = this.init.slice();
        view(init).setUint32(find(init, 'mvhd') + 24, duration);
        return init;
    }

    /** A fragment at its time plus `shift` seconds, its samples lasting `duration` seconds if that is given. */
    fragment(index, { shift = 0, duration } = {}) {
        const fragment = this.fragments[index].slice();
        const data = view(fragment);
        const tfdt = find(fragment, 'tfdt') + 12;
        data.setBigUint64(tfdt, data.getBigUint64(tfdt) + BigInt(Math.round(shift * this.timescale)));
        if (duration !== undefined) data.setUint32(find(fragment, 'tfhd') + 16, Math.round(duration * this.timescale));
        return fragment;
    }

    /** Fragments one behind the other. @param {number} from @param {number} to @param {object} [how] */
    range(from, to, how) {
        return joined(Array.from({ length: to - from }, (_, index) => this.fragment(from + index, how)));
    }
}

/** @param {Uint8Array[]} parts */
export function joined(parts) {
    const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
    let at = 0;
    for (const part of parts) {
        whole.set(part, at);
        at += part.length;
    }
    return whole;
}

export const VIDEO = 'video/mp4; codecs="avc1.4d401e"';
export const AUDIO = 'audio/mp4; codecs="mp4a.40.2"';

/** An element with an open MediaSource and a buffer for each type. @param {string[]} types */
export async function scene(...types) {
    const video = document.createElement('video');
    video.muted = true;
    video.width = 120;
    document.body.append(video);
    const source = new MediaSource();
    video.src = URL.createObjectURL(source);
    await once(source, 'sourceopen');
    source.duration = Infinity;
    const buffers = types.map((type) => source.addSourceBuffer(type));
    return { video, source, buffers };
}

/** Appends and waits until it is done. @param {SourceBuffer} buffer @param {Uint8Array} bytes */
export async function append(buffer, bytes) {
    const done = once(buffer, 'updateend');
    buffer.appendBuffer(bytes);
    await done;
}

/** The next event of this name. */
export function once(target, name) {
    return new Promise((resolve) => target.addEventListener(name, resolve, { once: true }));
}

export const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Whether a condition comes true before `ms` are over. @param {() => boolean} condition */
export async function becomes(condition, ms = 2500) {
    for (const end = performance.now() + ms; performance.now() < end; await wait(20)) {
        if (condition()) return true;
    }
    return condition();
}

/** What was thrown, by its name; else the last word. */
export function refusal(action, otherwise = 'works') {
    try {
        action();
        return otherwise;
    } catch (error) {
        return error.name;
    }
}

export const ranges = ({ buffered }) => (buffered.length === 1 ? 'one range' : `${buffered.length} ranges`);

export const end = ({ buffered }) => (buffered.length ? buffered.end(buffered.length - 1) : 0);

function* boxesOf(bytes) {
    for (let from = 0; from < bytes.length; ) {
        const to = from + view(bytes).getUint32(from);
        yield { type: String.fromCharCode(...bytes.subarray(from + 4, from + 8)), from, to };
        from = to;
    }
}

/** Where the first box of this type begins, at whatever depth. */
function find(bytes, type) {
    const name = [...type].map((letter) => letter.charCodeAt(0));
    return bytes.findIndex((_, at) => name.every((code, index) => bytes[at + index] === code)) - 4;
}

function view(bytes) {
    return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
