/** What a player can be told. `compat.js` knows the rest: what users of others are used to, and what is only for files. @module */

/**
 * A player's settings. Times in seconds unless the name says `Timeout` or `Interval`: milliseconds.
 * `index.d.ts` says what each is for.
 */
export const defaults = Object.freeze({
    mode: /** @type {'auto' | 'worker' | 'transmux' | 'main'} */ ('auto'),
    module: /** @type {'auto' | 'core' | 'full'} */ ('auto'),
    pacing: /** @type {'auto' | 'lowest' | 'smooth'} */ ('auto'),
    workerUrl: undefined,
    wasmUrl: undefined,
    targetLatency: undefined,
    maxTargetLatency: 4,
    maxPlaybackRate: undefined,
    backBuffer: 15,
    fillAudio: true,
    maxQueueBytes: undefined,
    videoTrackId: undefined,
    audioTrackId: undefined,
    sei: undefined,
    isLive: undefined,
    alternateUrls: undefined,
    maxReconnects: 8,
    connectTimeout: 15_000,
    silenceWarningTimeout: 5_000,
    silenceTimeout: 30_000,
    statisticsInfoReportInterval: 600,
    headers: undefined,
    referrerPolicy: undefined,
    reuseRedirectedURL: false,
    reportRecovered: false,
    autoplayMuted: false,
});

/** Keys that can be one of a few words. @type {Record<string, string>} */
const CHOICES = {
    mode: 'auto, worker, transmux, main',
    module: 'auto, core, full',
    pacing: 'auto, lowest, smooth',
};

/**
 * The settings in force for what was given, but for those that `compat.js` knows.
 * @param {Record<string, any>} [given]
 * @returns {Record<keyof typeof defaults, any>}
 */
export function settle(given) {
    const settled = /** @type {Record<string, any>} */ ({ ...defaults });
    for (const key in given) {
        if (key in defaults && given[key] != null) settled[key] = given[key];
    }
    for (const key in CHOICES) {
        if (!CHOICES[key].split(', ').includes(settled[key])) {
            throw new TypeError(`config.${key} is '${settled[key]}'; it can be ${CHOICES[key]}`);
        }
    }
    return settled;
}

/** Whether there are keys among the given that `compat.js` knows. @param {object} [given] */
export function hasForeign(given) {
    return Object.keys(given ?? {}).some((key) => !(key in defaults));
}
