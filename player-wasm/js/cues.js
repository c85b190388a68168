/** Tells things again when their picture is on the screen. Loaded when somebody wants to know. @module */

/**
 * @typedef {object} Cue
 * @property {string} name of its event
 * @property {number} time seconds of the element's timeline; NaN: with the next picture
 * @property {any} data
 */

/** Most cues that wait: beyond that the oldest are forgotten. */
const MAX_WAITING = 1024;

/** Half the shortest distance of two pictures that is to be told apart (1/240 s). */
const TOLERANCE = 1 / 480;

export class Cues {
    #element;
    #emitter;
    /** In the order of their times. @type {Cue[]} */
    #waiting = [];
    #abort = new AbortController();
    #frameCallback = 0;

    /** @param {HTMLMediaElement} element @param {import('./events.js').Emitter} emitter */
    constructor(element, emitter) {
        this.#element = /** @type {HTMLVideoElement} */ (element);
        this.#emitter = emitter;
        if (this.#hasFrames) return;
        // Old browsers, and sound without pictures: some four times a second.
        const { signal } = this.#abort;
        element.addEventListener('timeupdate', () => this.#present(element.currentTime, performance.now()), { signal });
    }

    get #hasFrames() {
        return 'requestVideoFrameCallback' in this.#element;
    }

    /** @param {Cue} cue */
    add(cue) {
        const waiting = this.#waiting;
        let at = waiting.length;
        while (at > 0 && waiting[at - 1].time > cue.time) at -= 1;
        waiting.splice(at, 0, cue);
        if (waiting.length > MAX_WAITING) waiting.shift();
        this.#watch();
    }

    stop() {
        this.#abort.abort();
        this.#waiting = [];
        if (this.#frameCallback) this.#element.cancelVideoFrameCallback(this.#frameCallback);
    }

    #watch() {
        if (this.#frameCallback || !this.#hasFrames) return;
        this.#frameCallback = this.#element.requestVideoFrameCallback((_, { mediaTime, expectedDisplayTime }) => {
            this.#frameCallback = 0;
            this.#present(mediaTime, expectedDisplayTime);
            if (this.#waiting.length > 0 && !this.#abort.signal.aborted) this.#watch();
        });
    }

    /** @param {number} mediaTime @param {number} displayTime */
    #present(mediaTime, displayTime) {
        const later = this.#waiting.findIndex(({ time }) => time > mediaTime + TOLERANCE);
        const due = this.#waiting.splice(0, later < 0 ? this.#waiting.length : later);
        for (const { name, time, data } of due) this.#emitter.emit(name, data, { time, mediaTime, displayTime });
    }
}
