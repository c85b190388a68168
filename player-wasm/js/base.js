/** What all players have in common: listeners, and an element whose properties are theirs. @module */
import { Emitter, Events, callSafely } from './events.js';

export class ElementPlayer {
    /** @protected */
    emitter = new Emitter();
    /** @protected @type {HTMLMediaElement | undefined} */
    element;
    /** Ends the listening to it. @protected @type {AbortController | undefined} */
    listening;
    /** Where to begin, asked for before there was an element. @type {number | undefined} */
    #begin;

    /** What is known of the media; see the `media_info` event. @returns {Record<string, any>} */
    get mediaInfo() {
        return {};
    }

    /** The newest statistics; see the `statistics_info` event. @returns {Record<string, any>} */
    get statisticsInfo() {
        return {};
    }

    /** The element's buffered ranges. */
    get buffered() {
        return this.element?.buffered ?? NO_RANGES;
    }

    get duration() {
        return this.element?.duration ?? NaN;
    }

    get volume() {
        return this.element?.volume ?? 1;
    }

    set volume(volume) {
        if (this.element) this.element.volume = volume;
    }

    get muted() {
        return this.element?.muted ?? false;
    }

    set muted(muted) {
        if (this.element) this.element.muted = muted;
    }

    get currentTime() {
        return this.element?.currentTime ?? 0;
    }

    set currentTime(seconds) {
        if (this.element?.readyState) this.element.currentTime = seconds;
        else this.#begin = seconds;
    }

    /** @param {string} event @param {Function} listener */
    on(event, listener) {
        this.emitter.on(event, listener);
        // As with mpegts.js: who comes late is told once what is known.
        const known = { [Events.MEDIA_INFO]: this.mediaInfo, [Events.STATISTICS_INFO]: this.statisticsInfo }[event];
        if (known && Object.keys(known).length > 0) queueMicrotask(() => callSafely(listener, [known]));
    }

    /** @param {string} event @param {Function} listener */
    off(event, listener) {
        this.emitter.off(event, listener);
    }

    pause() {
        this.element?.pause();
    }

    /** Listens to an element; begins where it was told to, once that is possible. @protected @param {HTMLMediaElement} element */
    follow(element) {
        this.element = element;
        this.listening = new AbortController();
        const { signal } = this.listening;
        element.addEventListener(
            'loadedmetadata',
            () => {
                if (this.#begin !== undefined) element.currentTime = this.#begin;
                this.#begin = undefined;
            },
            { signal },
        );
        return signal;
    }

    /** @protected */
    leave() {
        this.listening?.abort();
        this.element = undefined;
    }
}

/** Pictures decoded and dropped so far. @param {HTMLMediaElement | undefined} element */
export function pictureCounts(element) {
    const quality = /** @type {HTMLVideoElement | undefined} */ (element)?.getVideoPlaybackQuality?.();
    return { decoded: quality?.totalVideoFrames ?? 0, dropped: quality?.droppedVideoFrames ?? 0 };
}

/** Nobody need look at the result: a rejection is then not "uncaught". @template T @param {Promise<T>} promise */
export function handled(promise) {
    promise?.catch(() => {});
    return promise;
}

/** `Promise.withResolvers`, which Safari has since 17.4 only. @returns {PromiseWithResolvers<any>} */
export function withResolvers() {
    let resolve = /** @type {any} */ (undefined);
    let reject = resolve;
    const promise = new Promise((onResolve, onReject) => {
        resolve = onResolve;
        reject = onReject;
    });
    return { promise, resolve, reject };
}

/** The end of those who wait for what will not come. */
export function aborted() {
    return new DOMException('The player was unloaded before that.', 'AbortError');
}

/** @param {HTMLMediaElement} element */
export function empty(element) {
    element.playbackRate = 1;
    element.srcObject = null;
    element.removeAttribute('src');
    element.load();
}

const outOfRange = () => {
    throw new DOMException('There is no such range.', 'IndexSizeError');
};

/** @type {TimeRanges} */
const NO_RANGES = { length: 0, start: outOfRange, end: outOfRange };
