/** Event names, and the emitter of a player. @module */

/**
 * The events of a player. The names and the order of arguments are those of mpegts.js. Our own are
 * `warning` (something went wrong and was mended), what is told when its picture is presented,
 * `autoplay_muted` and `state_change` (a number and a text, as WeChat's `live-player` has them).
 */
export const Events = Object.freeze({
    ERROR: 'error',
    WARNING: 'warning',
    LOADING_COMPLETE: 'loading_complete',
    RECOVERED_EARLY_EOF: 'recovered_early_eof',
    MEDIA_INFO: 'media_info',
    METADATA_ARRIVED: 'metadata_arrived',
    SCRIPTDATA_ARRIVED: 'scriptdata_arrived',
    SCRIPTDATA_PRESENTED: 'scriptdata_presented',
    SEI_ARRIVED: 'sei_arrived',
    SEI_PRESENTED: 'sei_presented',
    STATISTICS_INFO: 'statistics_info',
    STATE_CHANGE: 'state_change',
    AUTOPLAY_MUTED: 'autoplay_muted',
    DESTROYING: 'destroying',
    // Of MPEG transport streams: FLV has nothing of the kind.
    TIMED_ID3_METADATA_ARRIVED: 'timed_id3_metadata_arrived',
    PGS_SUBTITLE_ARRIVED: 'pgs_subtitle_arrived',
    SYNCHRONOUS_KLV_METADATA_ARRIVED: 'synchronous_klv_metadata_arrived',
    ASYNCHRONOUS_KLV_METADATA_ARRIVED: 'asynchronous_klv_metadata_arrived',
    SMPTE2038_METADATA_ARRIVED: 'smpte2038_metadata_arrived',
    SCTE35_METADATA_ARRIVED: 'scte35_metadata_arrived',
    PES_PRIVATE_DATA_DESCRIPTOR: 'pes_private_data_descriptor',
    PES_PRIVATE_DATA_ARRIVED: 'pes_private_data_arrived',
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
