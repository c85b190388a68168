/** What a session remembers: for a second engine, and for a bug report. @module */

export class Recorder {
    /** The newest chunks as they came; nothing is copied. @type {{bytes: Uint8Array, at: number}[]} */
    #chunks = [];
    #bytes = 0;
    /** Whether the chunks are all there ever was of this connection. */
    isWhole = true;
    /** Whether the beginning may be forgotten: the tracks are known. */
    isSettled = false;
    /** What happened, and when. @type {[number, string, ...unknown[]][]} */
    log = [];

    get chunks() {
        return this.#chunks.map(({ bytes }) => bytes);
    }

    /** @param {Uint8Array} bytes @param {number} at ms */
    add(bytes, at) {
        this.#chunks.push({ bytes, at });
        this.#bytes += bytes.length;
        const most = this.isSettled ? MAX_BYTES : MAX_BEGINNING;
        const isOld = () => this.#bytes > most || (this.isSettled && at - this.#chunks[0].at > MAX_AGE);
        while (this.#chunks.length > 1 && isOld()) {
            this.#bytes -= this.#chunks.shift().bytes.length;
            this.isWhole = false;
        }
    }

    /** Another connection begins. */
    restart() {
        this.#chunks = [];
        this.#bytes = 0;
        this.isWhole = true;
    }

    /** @param {number} at ms @param {string} what @param {...unknown} details */
    note(at, what, ...details) {
        this.log.push([Math.round(at), what, ...details]);
        if (this.log.length > MAX_NOTES) this.log.shift();
    }
}

/** Most that is kept of a stream that plays, bytes. */
const MAX_BYTES = 4 << 20;

/** And ms. */
const MAX_AGE = 10_000;

/** Most that is kept of a beginning, bytes: another engine may have to go through it. */
const MAX_BEGINNING = 8 << 20;

const MAX_NOTES = 200;
