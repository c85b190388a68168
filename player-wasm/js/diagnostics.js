/** A bug report's stream: its beginning, and the last of it as it came. Loaded when one is asked for. @module */

import { explain } from './explain.js';

/**
 * @param {{head?: Uint8Array, chunks: Uint8Array[], log: any[]}} kept by the session; `head`: a stream's beginning, for chunks
 *     that do not begin there themselves
 * @returns {{flv: ArrayBuffer, log: any[]}}
 */
export function dump({ head, chunks, log }) {
    return { flv: join(head, chunks), log: log.map(inWords) };
}

/** What the engine told by a number, as listeners were told. @param {any[]} note */
function inWords(note) {
    const [at, what, cause] = note;
    if (typeof cause?.number !== 'number') return note;
    const { type, detail, ...info } = explain(what, cause);
    return [at, what, type, detail, info];
}

/** @param {Uint8Array | undefined} head @param {Uint8Array[]} chunks @returns {ArrayBuffer} */
function join(head, chunks) {
    const length = chunks.reduce((sum, { length }) => sum + length, 0);
    const tail = new Uint8Array(length);
    let at = 0;
    for (const bytes of chunks) {
        tail.set(bytes, at);
        at += bytes.length;
    }
    if (!head) return tail.buffer;
    const from = firstTag(tail);
    const whole = new Uint8Array(head.length + length - from);
    whole.set(head);
    whole.set(tail.subarray(from), head.length);
    return whole.buffer;
}

/** Where the first tag begins: one that is followed by its own size and another tag. @param {Uint8Array} bytes */
function firstTag(bytes) {
    const view = new DataView(bytes.buffer);
    const isTag = (at) => [8, 9, 18].includes(bytes[at]) && (view.getUint32(at + 7) & 0xffffff) === 0;
    for (let at = 0; at + 30 < bytes.length; at += 1) {
        if (!isTag(at)) continue;
        const size = 11 + (view.getUint32(at) & 0xffffff);
        if (at + size + 15 <= bytes.length && view.getUint32(at + size) === size && isTag(at + size + 4)) return at;
    }
    return 0;
}
