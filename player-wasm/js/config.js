/** What a player can be told, ours and what users of flv.js, mpegts.js and WeChat are used to. @module */
import { log } from './logging.js';

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
    // Files:
    lazyLoad: true,
    lazyLoadMaxDuration: 180,
    lazyLoadRecoverDuration: 30,
    seekType: /** @type {'range' | 'param' | 'custom'} */ ('range'),
    seekParamStart: 'bstart',
    seekParamEnd: 'bend',
    rangeLoadZeroStart: false,
    customSeekHandler: undefined,
    customLoader: undefined,
});

/** Keys that can be one of a few words. @type {Record<string, string[]>} */
const CHOICES = {
    mode: ['auto', 'worker', 'transmux', 'main'],
    module: ['auto', 'core', 'full'],
    pacing: ['auto', 'lowest', 'smooth'],
};

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
};

/** Said together with one of the above. */
const PARTS = /^live(Sync|BufferLatency)(Max|Target|Min|Playback)/;

/** As long as any stream: the browser throws out what it has no place for. */
const EVERYTHING = 1e9;

const told = new Set();

/**
 * The settings in force for what was given.
 * @param {Record<string, any>} [given]
 * @returns {Record<keyof typeof defaults, any>}
 */
export function settle(given = {}) {
    const settled = /** @type {Record<string, any>} */ ({ ...defaults });
    for (const [key, value] of Object.entries(given ?? {})) {
        if (value === undefined || value === null) continue;
        if (key in aliases) {
            for (const [name, meant] of Object.entries(aliases[key](value, given) || {})) {
                if (given[name] === undefined) settled[name] = meant;
            }
        } else if (key in defaults) {
            settled[key] = value;
        } else if (!PARTS.test(key)) {
            tellOnce(key);
        }
    }
    for (const [key, choices] of Object.entries(CHOICES)) {
        if (!choices.includes(settled[key])) {
            throw new TypeError(`config.${key} is '${settled[key]}'; it can be ${choices.join(', ')}`);
        }
    }
    // Functions cannot be sent to a worker.
    if (settled.customLoader || settled.customSeekHandler) settled.mode = 'main';
    return settled;
}

/** @param {number} target @param {number} max @param {number} [rate] */
function latencies(target, max, rate) {
    return { targetLatency: target, maxTargetLatency: Math.max(target, max), ...(rate && { maxPlaybackRate: rate }) };
}

/** @param {string} key */
function tellOnce(key) {
    if (told.has(key)) return;
    told.add(key);
    // Loaded when there is something to say: most pages give nothing of the kind.
    import('./notes.js').then(({ notes }) => {
        if (notes[key]) log('info', `config.${key} has no effect: ${notes[key]}`);
        else log('warn', `config.${key} is not known`);
    }, () => log('warn', `config.${key} has no effect`));
}
