/** What is known of a stream in the terms of others: of mpegts.js, and of WeChat's `live-player`. @module */

/** H.264 profiles by their `profile_idc`. @type {Record<number, string>} */
const PROFILES = { 66: 'Baseline', 77: 'Main', 88: 'Extended', 100: 'High', 110: 'High10', 122: 'High422', 244: 'High444' };

/**
 * Profile, level and chroma format of H.264 as mpegts.js writes them: `High`, `3.1`, `4:2:0`.
 * @param {Record<string, any>} info
 */
export function describe(info) {
    const { profile, level, chromaFormat: chroma } = info;
    if (!/^avc/.test(info.videoCodec) || typeof profile !== 'number') return info;
    return {
        ...info,
        profile: PROFILES[profile] ?? String(profile),
        level: (level / 10).toFixed(1),
        chromaFormat: ['4:0:0', '4:2:0', '4:2:2', '4:4:4'][chroma],
    };
}

/**
 * @param {Record<string, any>} statistics of the engine, see `StatisticsInfo`
 * @returns {Record<string, number>}
 */
export function netStatus(statistics) {
    const number = (value) => (Number.isFinite(value) ? value : 0);
    const ms = (seconds) => Math.round(number(seconds) * 1000);
    const { videoBitrate, audioBitrate, fps, speed, jitter, width, height, buffered } = statistics;
    const video = statistics.videoBuffered ?? buffered;
    const audio = statistics.audioBuffered ?? buffered;
    return {
        videoBitrate: Math.round(number(videoBitrate)),
        audioBitrate: Math.round(number(audioBitrate)),
        videoFPS: Math.round(number(fps)),
        videoGOP: number(statistics.gopLength),
        // KiB/s in, kbit/s out.
        netSpeed: Math.round(number(speed) * 8.192),
        netJitter: ms(jitter),
        netQualityLevel: quality(number(jitter), number(speed)),
        videoWidth: number(width),
        videoHeight: number(height),
        videoCache: ms(video),
        audioCache: ms(audio),
        // What a browser's decoder holds it does not tell.
        vDecCacheSize: 0,
        vSumCacheSize: Math.round(number(video) * number(fps)),
        // The browser keeps sound and picture together.
        avPlayInterval: 0,
        avRecvInterval: ms(video - audio),
        audioCacheThreshold: ms(statistics.targetLatency),
    };
}

/** From 1 (best) to 6 (nothing comes). @param {number} jitter seconds @param {number} speed */
function quality(jitter, speed) {
    if (speed <= 0) return 6;
    return 1 + [0.1, 0.25, 0.6, 1.5].filter((limit) => jitter > limit).length;
}
