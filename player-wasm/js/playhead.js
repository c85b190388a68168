/** Watches a media element and reports where it is, for the engine that may live in a worker. @module */

/** The flags of a report, as the engine knows them. */
const PAUSED = 1;
const SEEKING = 2;
const WAITING = 4;
const MUTED = 8;
const HIDDEN = 16;
const PRESENTED = 32;

/** Until the next report, if nothing happens before, ms. */
const INTERVAL = 100;

/** The same while play is steady: where the element is follows from the last report. Each one costs both threads. */
const CALM_INTERVAL = 250;

const TELLING_EVENTS = ['play', 'playing', 'pause', 'waiting', 'seeking', 'seeked', 'ratechange', 'volumechange', 'loadeddata', 'ended'];

export class PlayheadReporter {
    #element;
    #report;
    #abort = new AbortController();
    #timer = 0;
    #presented = false;
    #frameCallback = 0;

    /** @param {HTMLVideoElement} element @param {(report: object) => void} report */
    constructor(element, report) {
        this.#element = element;
        this.#report = report;
        const { signal } = this.#abort;
        const now = () => this.report();
        for (const event of TELLING_EVENTS) element.addEventListener(event, now, { signal });
        element.addEventListener('seeking', () => this.#awaitPicture(), { signal, capture: true });
        element.addEventListener('emptied', () => this.#awaitPicture(), { signal, capture: true });
        document.addEventListener('visibilitychange', now, { signal });
        this.#awaitPicture();
        this.#schedule(INTERVAL);
    }

    report() {
        const element = this.#element;
        const quality = element.getVideoPlaybackQuality?.();
        const flags = this.#flags();
        const rate = element.playbackRate;
        const isCalm = rate === 1 && (flags & (SEEKING | WAITING | PRESENTED)) === PRESENTED;
        this.#schedule(isCalm ? CALM_INTERVAL : INTERVAL);
        this.#report({
            at: performance.timeOrigin + performance.now(),
            time: element.currentTime,
            rate,
            flags,
            decoded: quality?.totalVideoFrames ?? 0,
            dropped: quality?.droppedVideoFrames ?? 0,
        });
    }

    stop() {
        this.#abort.abort();
        clearTimeout(this.#timer);
        if (this.#frameCallback) this.#element.cancelVideoFrameCallback(this.#frameCallback);
    }

    /** @param {number} interval ms */
    #schedule(interval) {
        if (this.#abort.signal.aborted) return;
        clearTimeout(this.#timer);
        this.#timer = setTimeout(() => this.report(), interval);
    }

    #flags() {
        const element = this.#element;
        const outOfData = element.readyState < HTMLMediaElement.HAVE_FUTURE_DATA && !element.ended;
        return (
            (element.paused ? PAUSED : 0) |
            (element.seeking ? SEEKING : 0) |
            (outOfData ? WAITING : 0) |
            (element.muted || element.volume === 0 ? MUTED : 0) |
            (document.hidden ? HIDDEN : 0) |
            (this.#presented ? PRESENTED : 0)
        );
    }

    /** From now on the next picture is the first one. */
    #awaitPicture() {
        const element = this.#element;
        this.#presented = false;
        if (!element.requestVideoFrameCallback) {
            const seen = () => {
                this.#presented = true;
            };
            element.addEventListener('timeupdate', seen, { once: true, signal: this.#abort.signal });
            return;
        }
        if (this.#frameCallback) element.cancelVideoFrameCallback(this.#frameCallback);
        this.#frameCallback = element.requestVideoFrameCallback(() => {
            this.#frameCallback = 0;
            this.#presented = true;
            this.report();
        });
    }
}
