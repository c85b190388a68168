/** What a player can be told. `compat.js` knows the rest: what users of others are used to, and what is only for files. @module */

/**
 * What the engine can be told, by the numbers of {@link import('./engine.js').Setting}. Times in seconds unless the name says
 * `Timeout`: milliseconds. `index.d.ts` says what each is for.
 */
export const ENGINE = (
    'isLive hasVideo hasAudio targetLatency maxTargetLatency maxPlaybackRate backBuffer silenceWarningTimeout silenceTimeout ' +
    'pacing maxReconnects seed videoTrackId audioTrackId fillAudio maxQueueBytes sei gecko'
).split(' ');

/** A player's settings, the engine's among them; `Interval`: milliseconds. @type {Readonly<Record<string, any>>} */
export const defaults = Object.freeze({
    ...Object.fromEntries(ENGINE.map((name) => [name, undefined])),
    mode: 'auto',
    module: 'auto',
    pacing: 'auto',
    workerUrl: undefined,
    wasmUrl: undefined,
    maxTargetLatency: 4,
    backBuffer: 15,
    fillAudio: true,
    alternateUrls: undefined,
    maxReconnects: 8,
    connectTimeout: 15_000,
    silenceWarningTimeout: 3_000,
    silenceTimeout: 5_000,
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
 * @returns {Record<string, any>}
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

/**
 * What the engine is told, by its numbers; NaN: what it decides itself.
 * @param {Record<string, any>} config settled, and what the source says
 */
export function engineSettings(config) {
    const meant = {
        hasVideo: config.hasVideo !== false,
        hasAudio: config.hasAudio !== false,
        silenceWarningTimeout: config.silenceWarningTimeout / 1000,
        silenceTimeout: config.silenceTimeout / 1000,
        pacing: CHOICES.pacing.split(', ').indexOf(config.pacing),
        seed: Math.random() * 2 ** 32,
        gecko: navigator.userAgent.includes('Firefox/'),
    };
    return ENGINE.map((name) => Number(meant[name] ?? config[name]));
}
