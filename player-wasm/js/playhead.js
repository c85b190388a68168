/** Watches a media element and reports where it is, for the engine that may live in a worker. @module */
import { pictureCounts } from './base.js';

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

const TELLING_EVENTS = 'play playing pause waiting seeking seeked ratechange volumechange loadeddata ended emptied';

/**
 * @param {HTMLVideoElement} element
 * @param {(report: number[]) => void} report gets when it was, the media's time, the rate, flags, pictures decoded and dropped
 * @returns {() => void} ends it
 */
export function watchPlayhead(element, report) {
    const abort = new AbortController();
    const { signal } = abort;
    let presented = false;
    let frameCallback = 0;
    let timer = 0;

    const schedule = (interval) => {
        clearTimeout(timer);
        timer = setTimeout(tell, interval);
    };
    const tell = () => {
        if (signal.aborted) return;
        const rate = element.playbackRate;
        const outOfData = element.readyState < HTMLMediaElement.HAVE_FUTURE_DATA && !element.ended;
        const flags =
            (element.paused ? PAUSED : 0) |
            (element.seeking ? SEEKING : 0) |
            (outOfData ? WAITING : 0) |
            (element.muted || element.volume === 0 ? MUTED : 0) |
            (document.hidden ? HIDDEN : 0) |
            (presented ? PRESENTED : 0);
        const isCalm = rate === 1 && (flags & (SEEKING | WAITING | PRESENTED)) === PRESENTED;
        schedule(isCalm ? CALM_INTERVAL : INTERVAL);
        const { decoded, dropped } = pictureCounts(element);
        report([performance.timeOrigin + performance.now(), element.currentTime, rate, flags, decoded, dropped]);
    };
    const seen = () => {
        presented = true;
        tell();
    };
    /** From now on the next picture is the first one. */
    const awaitPicture = () => {
        presented = false;
        if (element.requestVideoFrameCallback) {
            element.cancelVideoFrameCallback(frameCallback);
            frameCallback = element.requestVideoFrameCallback(seen);
        } else {
            element.addEventListener('timeupdate', seen, { once: true, signal });
        }
    };

    for (const event of TELLING_EVENTS.split(' ')) {
        const begins = event === 'seeking' || event === 'emptied';
        const listener = () => {
            if (begins) awaitPicture();
            tell();
        };
        element.addEventListener(event, listener, { signal });
    }
    document.addEventListener('visibilitychange', tell, { signal });
    awaitPicture();
    schedule(INTERVAL);
    return () => {
        abort.abort();
        clearTimeout(timer);
    };
}
