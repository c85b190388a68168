/** A bug report's stream: its beginning, and the last of it as it came. Loaded when one is asked for. @module */

import { explain } from './explain.js';

/**
 * @param {{kept: import('./recorder.js').Kept[], head: Uint8Array, log: any[]}} kept by the session; `head`: what a stream
 *     begins with, as is known now
 * @returns {{flv: ArrayBuffer, log: any[]}}
 */
export function dump({ kept, head, log }) {
    return { flv: inOne(kept, head), log: log.map(inWords) };
}

/** What the engine told by a number, as listeners were told. @param {any[]} note */
function inWords(note) {
    const [at, what, cause] = note;
    if (typeof cause?.number !== 'number') return note;
    const { type, detail, ...info } = explain(what, cause);
    return [at, what, type, detail, info];
}

/** One FLV of what came over one connection after the other. @param {import('./recorder.js').Kept[]} kept @param {Uint8Array} last */
function inOne(kept, last) {
    const parts = [];
    let chunks = [];
    const add = (head, isOver) => {
        let bytes = join(chunks);
        // What does not begin as it came begins as far as that is known, with the first whole tag.
        if (!headerLength(bytes)) bytes = join([head, bytes.subarray(firstTag(bytes))]);
        const from = headerLength(bytes);
        const to = isOver ? lastTag(bytes, from) : bytes.length;
        if (chunks.length) parts.push(bytes.subarray(parts.length ? from : 0, to));
        chunks = [];
    };
    for (const [bytes, , begins] of kept) {
        if (begins) add(begins, true);
        chunks.push(bytes);
    }
    add(last, false);
    return join(parts).buffer;
}

/** @param {Uint8Array[]} parts */
function join(parts) {
    const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
    let at = 0;
    for (const bytes of parts) {
        whole.set(bytes, at);
        at += bytes.length;
    }
    return whole;
}

/** An FLV header with the size behind it; 0 if it does not begin with one. @param {Uint8Array} bytes */
function headerLength(bytes) {
    const isHeader = bytes.length >= 9 && String.fromCharCode(...bytes.subarray(0, 3)) === 'FLV';
    return isHeader ? viewOf(bytes).getUint32(5) + 4 : 0;
}

/** Where the first tag begins: one that is followed by its own size and another tag. @param {Uint8Array} bytes */
function firstTag(bytes) {
    const view = viewOf(bytes);
    for (let at = 0; at + 30 < bytes.length; at += 1) {
        if (!isTag(view, at)) continue;
        const size = 11 + (view.getUint32(at) & 0xffffff);
        if (at + size + 15 <= bytes.length && view.getUint32(at + size) === size && isTag(view, at + size + 4)) return at;
    }
    return 0;
}

/**
 * Where the last tag ends that came whole; all of it where there are no tags any more.
 * @param {Uint8Array} bytes @param {number} from
 */
function lastTag(bytes, from) {
    const view = viewOf(bytes);
    let at = from;
    while (at + 15 <= bytes.length) {
        if (!isTag(view, at)) return bytes.length;
        const next = at + 15 + (view.getUint32(at) & 0xffffff);
        if (next > bytes.length) break;
        at = next;
    }
    return at;
}

/** @param {DataView} view @param {number} at */
function isTag(view, at) {
    return [8, 9, 18].includes(view.getUint8(at)) && (view.getUint32(at + 7) & 0xffffff) === 0;
}

/** @param {Uint8Array} bytes */
function viewOf(bytes) {
    return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}
