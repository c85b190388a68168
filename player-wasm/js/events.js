/** Event names, and the emitter of a player. @module */

/**
 * The events of a player. The names and the order of arguments are those of mpegts.js; `warning` is
 * our own: something went wrong and was mended, or may mend itself.
 */
export const Events = Object.freeze({
    ERROR: 'error',
    WARNING: 'warning',
    LOADING_COMPLETE: 'loading_complete',
    RECOVERED_EARLY_EOF: 'recovered_early_eof',
    MEDIA_INFO: 'media_info',
    METADATA_ARRIVED: 'metadata_arrived',
    SCRIPTDATA_ARRIVED: 'scriptdata_arrived',
    STATISTICS_INFO: 'statistics_info',
    DESTROYING: 'destroying',
});

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
