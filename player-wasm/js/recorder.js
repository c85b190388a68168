/** What a session remembers: for a second engine, and for a bug report. @module */

/**
 * Bytes as they came (nothing is copied), and when. Where a connection begins: what a stream begins with, as was known of
 * the one before.
 * @typedef {[bytes: Uint8Array, at: number, begins?: Uint8Array]} Kept
 */

export class Recorder {
    /** @type {Kept[]} */
    kept = [];
    #bytes = 0;
    /** @type {Uint8Array | undefined} */
    #begins = new Uint8Array();
    /** Whether the beginning may be forgotten: the tracks are known. */
    isSettled = false;
    /** What happened, and when. @type {[number, string, ...unknown[]][]} */
    log = [];

    /** All that came over the present connection, if that is still there. */
    get chunks() {
        const at = this.kept.findLastIndex(([, , begins]) => begins);
        return at < 0 ? [] : this.kept.slice(at).map(([bytes]) => bytes);
    }

    /** @param {Uint8Array} bytes @param {number} at ms */
    add(bytes, at) {
        this.#bytes += bytes.length;
        const most = this.isSettled ? MAX_BYTES : MAX_BEGINNING;
        // The newest is kept, whatever it is.
        while (this.kept.length && (this.#bytes > most || (this.isSettled && at - this.kept[0][1] > MAX_AGE))) {
            this.#bytes -= this.kept.shift()[0].length;
        }
        this.kept.push([bytes, at, this.#begins]);
        this.#begins = undefined;
    }

    /** Another connection begins. @param {Uint8Array} begins what a stream begins with */
    restart(begins) {
        this.#begins = begins;
    }

    /** What follows is of another place. */
    forget() {
        this.kept = [];
        this.#bytes = 0;
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
