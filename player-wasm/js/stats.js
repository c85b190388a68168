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
    const whole = (value) => (Number.isFinite(value) ? Math.round(value) : 0);
    const { fps, speed, jitter, videoBuffered: video, audioBuffered: audio } = statistics;
    return {
        videoBitrate: whole(statistics.videoBitrate),
        audioBitrate: whole(statistics.audioBitrate),
        videoFPS: whole(fps),
        videoGOP: statistics.gopLength || 0,
        // KiB/s in, kbit/s out.
        netSpeed: whole(speed * 8.192),
        netJitter: whole(jitter * 1000),
        netQualityLevel: quality(jitter, speed),
        videoWidth: statistics.width || 0,
        videoHeight: statistics.height || 0,
        videoCache: whole(video * 1000),
        audioCache: whole(audio * 1000),
        // What a browser's decoder holds it does not tell.
        vDecCacheSize: 0,
        vSumCacheSize: whole(video * fps),
        // The browser keeps sound and picture together.
        avPlayInterval: 0,
        avRecvInterval: whole((video - audio) * 1000),
        audioCacheThreshold: whole(statistics.targetLatency * 1000),
    };
}

/** From 1 (best) to 6 (nothing comes). @param {number} jitter seconds @param {number} speed */
function quality(jitter, speed) {
    return speed > 0 ? 1 + [0.1, 0.25, 0.6, 1.5].filter((limit) => jitter > limit).length : 6;
}
