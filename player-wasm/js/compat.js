/**
 * What users of flv.js, mpegts.js and WeChat's `live-player` are used to tell a player, in terms of our settings, and what
 * only files and loaders of one's own need. Loaded when something of the kind is given.
 * @module
 */
import { openCustom } from './custom.js';

/**
 * Keys with a meaning under another name here. Each gets its value and all that was given.
 * @type {Record<string, (value: any, given: Record<string, any>) => object | undefined | false>}
 */
const aliases = {
    enableWorker: (on, { enableWorkerForMSE: mse }) =>
        mse ? undefined : { mode: on ? (mse === false ? 'transmux' : 'auto') : 'main' },
    enableWorkerForMSE: (on) => on && { mode: 'auto' },
    liveSync: (on, given) =>
        on && latencies(given.liveSyncTargetLatency ?? 0.8, given.liveSyncMaxLatency ?? 1.2, given.liveSyncPlaybackRate ?? 1.2),
    liveBufferLatencyChasing: (on, given) =>
        on && latencies(given.liveBufferLatencyMinRemain ?? 0.5, given.liveBufferLatencyMaxLatency ?? 1.5),
    'min-cache': (seconds) => ({ targetLatency: seconds }),
    'max-cache': (seconds) => ({ maxTargetLatency: seconds }),
    minCache: (seconds) => ({ targetLatency: seconds }),
    maxCache: (seconds) => ({ maxTargetLatency: seconds }),
    autoCleanupSourceBuffer: (on) => on === false && { backBuffer: EVERYTHING },
    autoCleanupMaxBackwardDuration: (seconds, given) => given.autoCleanupSourceBuffer !== false && { backBuffer: seconds },
    autoCleanupMinBackwardDuration: (seconds, given) =>
        given.autoCleanupSourceBuffer !== false && given.autoCleanupMaxBackwardDuration === undefined && { backBuffer: seconds },
    fixAudioTimestampGap: (on) => ({ fillAudio: on }),
    customLoader: (Loader) => ({ openSource: (request, sink, parts, config) => openCustom(Loader, request, config, sink) }),
    customSeekHandler: (seekHandler) => ({ seekHandler }),
    seekType: (seekType) => ({ seekType }),
    seekParamStart: (seekParamStart) => ({ seekParamStart }),
    seekParamEnd: (seekParamEnd) => ({ seekParamEnd }),
    rangeLoadZeroStart: (rangeLoadZeroStart) => ({ rangeLoadZeroStart }),
};

/** Said together with one of the above. */
const PARTS = /^live(Sync|BufferLatency)(Max|Target|Min|Playback)/;

/** As long as any stream: the browser throws out what it has no place for. */
const EVERYTHING = 1e9;

const AHEAD = 'a file is read half a minute ahead, by a connection that waits';

/** Keys that change nothing here, and why. @type {Record<string, string>} */
const WITHOUT_EFFECT = {
    enableStashBuffer: 'nothing is held back before it is played; see pacing and targetLatency',
    stashInitialSize: 'nothing is held back before it is played; see pacing and targetLatency',
    lazyLoad: AHEAD,
    lazyLoadMaxDuration: AHEAD,
    lazyLoadRecoverDuration: AHEAD,
    deferLoadAfterSourceOpen: 'loading starts at once, also in a tab that was opened in the background',
    liveBufferLatencyChasingOnPaused: 'a paused live player drops what it will not show',
    accurateSeek: 'every seek goes to the exact picture',
};

const told = new Set();

/**
 * Puts what the given keys mean into the settings; a key of ours that is given too counts more.
 * @param {Record<string, any>} given @param {Record<string, any>} settings
 * @param {(level: 'info' | 'warn', text: string) => void} log
 */
export function adapt(given, settings, log) {
    for (const [key, value] of Object.entries(given)) {
        if (key in settings || PARTS.test(key)) continue;
        if (!(key in aliases)) {
            tellOnce(key, log);
            continue;
        }
        if (value == null) continue;
        for (const [name, meant] of Object.entries(aliases[key](value, given) || {})) {
            if (name === key || given[name] === undefined) settings[name] = meant;
        }
    }
    // Functions cannot be sent to a worker.
    if (settings.openSource || settings.seekHandler) settings.mode = 'main';
}

/** @param {number} target @param {number} max @param {number} [rate] */
function latencies(target, max, rate) {
    return { targetLatency: target, maxTargetLatency: Math.max(target, max), ...(rate && { maxPlaybackRate: rate }) };
}

/** @param {string} key @param {(level: 'info' | 'warn', text: string) => void} log */
function tellOnce(key, log) {
    if (told.has(key)) return;
    told.add(key);
    if (WITHOUT_EFFECT[key]) log('info', `config.${key} has no effect: ${WITHOUT_EFFECT[key]}`);
    else log('warn', `config.${key} is not known`);
}
