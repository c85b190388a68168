/** What a player can be told, ours and what users of mpegts.js are used to. @module */
import { log } from './logging.js';

/**
 * A player's settings. Times in seconds unless the name says `Timeout` or `Interval`: milliseconds.
 */
export const defaults = Object.freeze({
    /** `auto`, `worker` (everything but the element in a worker) or `main` (all on the page's thread). */
    mode: /** @type {'auto' | 'worker' | 'main'} */ ('auto'),
    /** Where the worker's module is; default: beside this one. Must be of the page's origin. */
    workerUrl: undefined,
    /** Where the WebAssembly is; default: beside this module. */
    wasmUrl: undefined,
    /** Smallest distance behind the newest media; default: found out while playing, from 0.2 on. */
    targetLatency: undefined,
    /** Largest distance that uneven arrival may lead to. */
    maxTargetLatency: 4,
    /** Largest playback rate for catching up; default: 1.1, more after a start or a stall. */
    maxPlaybackRate: undefined,
    /** How much of what was played is kept. */
    backBuffer: 15,
    /** How long the server may take to answer, ms. */
    connectTimeout: 15_000,
    /** How long nothing may come before a warning, ms. */
    silenceWarningTimeout: 5_000,
    /** How long nothing may come before the connection counts as lost, ms. */
    silenceTimeout: 30_000,
    /** How often `statistics_info` is emitted, ms. */
    statisticsInfoReportInterval: 600,
    /** Request headers, for HTTP. */
    headers: undefined,
    /** `fetch`'s `referrerPolicy`. */
    referrerPolicy: undefined,
});

/** Keys of mpegts.js that change nothing here, and why. */
const withoutEffect = {
    enableWorker: 'see mode',
    enableWorkerForMSE: 'see mode',
    enableStashBuffer: 'nothing is held back',
    stashInitialSize: 'nothing is held back',
    lazyLoad: 'live streams are never suspended',
    lazyLoadMaxDuration: 'live streams are never suspended',
    lazyLoadRecoverDuration: 'live streams are never suspended',
    deferLoadAfterSourceOpen: 'loading starts at once',
    autoCleanupSourceBuffer: 'see backBuffer',
    autoCleanupMinBackwardDuration: 'see backBuffer',
    fixAudioTimestampGap: 'always on',
    liveBufferLatencyChasingOnPaused: 'a paused live player drops what it will not show',
    accurateSeek: 'seeking in files is not supported',
    seekType: 'seeking in files is not supported',
    seekParamStart: 'seeking in files is not supported',
    seekParamEnd: 'seeking in files is not supported',
    rangeLoadZeroStart: 'seeking in files is not supported',
    customSeekHandler: 'seeking in files is not supported',
    reuseRedirectedURL: 'each load asks the given URL',
    customLoader: 'only fetch and WebSocket are supported',
};

/** Keys with a meaning under another name here. */
const aliases = {
    liveSync: (value, given) => value && { targetLatency: given.liveSyncTargetLatency ?? 0.8 },
    liveSyncTargetLatency: () => undefined,
    liveSyncMaxLatency: () => undefined,
    liveSyncPlaybackRate: (value, given) => given.liveSync && { maxPlaybackRate: value },
    liveBufferLatencyChasing: (value, given) =>
        value && { targetLatency: given.liveBufferLatencyMinRemain ?? 0.5 },
    liveBufferLatencyMaxLatency: () => undefined,
    liveBufferLatencyMinRemain: () => undefined,
    autoCleanupMaxBackwardDuration: (value) => ({ backBuffer: value }),
    isLive: () => undefined,
};

const told = new Set();

/**
 * The settings in force for what was given.
 * @param {Record<string, unknown>} [given]
 * @returns {typeof defaults & Record<string, unknown>}
 */
export function settle(given = {}) {
    const settled = { ...defaults };
    for (const [key, value] of Object.entries(given)) {
        if (key in aliases) {
            for (const [name, meant] of Object.entries(aliases[key](value, given) || {})) {
                if (given[name] === undefined) settled[name] = meant;
            }
        } else if (key in defaults) {
            if (value !== undefined) settled[key] = value;
        } else {
            tellOnce(key);
        }
    }
    if (!['auto', 'worker', 'main'].includes(settled.mode)) {
        throw new TypeError(`config.mode is '${settled.mode}'; it can be 'auto', 'worker' or 'main'`);
    }
    return settled;
}

/** @param {string} key */
function tellOnce(key) {
    if (told.has(key)) return;
    told.add(key);
    const why = withoutEffect[key];
    if (why) log('info', `config.${key} has no effect: ${why}`);
    else log('warn', `config.${key} is not known`);
}
