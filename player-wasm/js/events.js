/** Event names, and the emitter of a player. @module */

/** Each is called by its name in capitals. */
const NAMES =
    'error warning loading_complete recovered_early_eof media_info metadata_arrived scriptdata_arrived ' +
    'scriptdata_presented sei_arrived sei_presented statistics_info state_change autoplay_muted destroying ' +
    // Of MPEG transport streams: FLV has nothing of the kind.
    'timed_id3_metadata_arrived pgs_subtitle_arrived synchronous_klv_metadata_arrived asynchronous_klv_metadata_arrived ' +
    'smpte2038_metadata_arrived scte35_metadata_arrived pes_private_data_descriptor pes_private_data_arrived';

/**
 * The events of a player. The names and the order of arguments are those of mpegts.js. Our own are
 * `warning` (something went wrong and was mended), what is told when its picture is presented,
 * `autoplay_muted` and `state_change` (a number and a text, as WeChat's `live-player` has them).
 */
export const Events = /** @type {Readonly<import('./types.js').Events>} */ (
    /* @__PURE__ */ byCapitals(NAMES)
);

/** @param {string} names */
function byCapitals(names) {
    return Object.freeze(Object.fromEntries(names.split(' ').map((name) => [name.toUpperCase(), name])));
}

/** Listeners by event. A listener that throws disturbs neither the others nor the player. */
export class Emitter {
    /** @type {Map<string, Set<Function>>} */
    #listeners = new Map();

    /** @param {string} event @param {Function} listener */
    on(event, listener) {
        const listeners = this.#listeners.get(event) ?? new Set();
        this.#listeners.set(event, listeners.add(listener));
    }

    /** @param {string} event @param {Function} listener */
    off(event, listener) {
        this.#listeners.get(event)?.delete(listener);
    }

    /** Whether anybody listens. @param {string} event */
    has(event) {
        return (this.#listeners.get(event)?.size ?? 0) > 0;
    }

    /** @param {string} event @param {...unknown} args */
    emit(event, ...args) {
        for (const listener of [...(this.#listeners.get(event) ?? [])]) {
            callSafely(listener, args);
        }
    }

    clear() {
        this.#listeners.clear();
    }
}

/** Calls a function that is not ours; what it throws is reported as uncaught. @param {Function} listener @param {unknown[]} args */
export function callSafely(listener, args) {
    try {
        listener(...args);
    } catch (error) {
        (globalThis.reportError ?? console.error)(error);
    }
}
