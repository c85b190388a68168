/** What an engine's numbers are, in the terms of others: of mpegts.js, and of WeChat's `live-player`. @module */

/** The statistics by their numbers, which are those of {@link import('./engine.js').Stat}; then the size of the picture. */
export const STATISTICS = (
    'latency targetLatency jitter buffered currentTime playbackRate speed videoBitrate audioBitrate fps decodedFrames ' +
    'droppedFrames appends stalls jumps nudges rebuilds skippedFrames resyncs badTags discontinuities audioFramesInserted ' +
    'audioFramesDropped captureLatency videoBuffered audioBuffered gopLength reconnects bytesReceived keyframesSeen audioFilled ' +
    'width height'
).split(' ');

/** What is known of the tracks, by the numbers of {@link import('./engine.js').Info}. */
export const INFO = (
    'width height fps profile level refFrames chromaFormat sarNum sarDen audioSampleRate audioChannelCount bitDepth ' +
    'colourPrimaries transfer matrix reorderFrames'
).split(' ');

/** @param {string[]} names @param {number[]} values @param {(value: number) => any} told */
function named(names, values, told) {
    return Object.fromEntries(names.map((name, which) => [name, told(values[which])]));
}

/** H.264 profiles by their `profile_idc`. @type {Record<number, string>} */
const PROFILES = { 66: 'Baseline', 77: 'Main', 88: 'Extended', 100: 'High', 110: 'High10', 122: 'High422', 244: 'High444' };

/**
 * What the stream is. Profile, level and chroma format of H.264 as mpegts.js writes them: `High`, `3.1`, `4:2:0`.
 * @param {{values: number[], codecs: string[], tracks: boolean[], metadata: any, duration: number}} found by the session; `duration`: seconds, 0: not known
 */
export function mediaInfo({ values, codecs, tracks, metadata, duration }) {
    const [videoCodec, audioCodec] = codecs;
    const info = /** @type {Record<string, any>} */ ({
        mimeType: `video/x-flv; codecs="${codecs.filter(Boolean)}"`,
        duration: duration ? Math.round(duration * 1000) : undefined,
        hasVideo: tracks[0],
        hasAudio: tracks[1],
        videoCodec: videoCodec || undefined,
        audioCodec: audioCodec || undefined,
        ...named(INFO, values, (value) => (Number.isNaN(value) ? undefined : value)),
        videoDataRate: metadata?.videodatarate,
        audioDataRate: metadata?.audiodatarate,
        metadata,
        hasKeyframesIndex: Boolean(metadata?.keyframes?.times?.length),
        segmentCount: 1,
    });
    if (/^avc/.test(videoCodec) && info.profile !== undefined) {
        info.profile = PROFILES[info.profile] ?? String(info.profile);
        info.level = (info.level / 10).toFixed(1);
        info.chromaFormat = ['4:0:0', '4:2:0', '4:2:2', '4:4:4'][info.chromaFormat];
    }
    return info;
}

/**
 * @param {{values: number[], url: string, finalUrl: string, isRedirected: boolean, transport: string}} found by the session
 * @returns {Record<string, any>}
 */
export function statistics({ values, url, finalUrl, isRedirected, transport }) {
    const found = named(STATISTICS, values, (value) => value);
    // KiB/s and kbit/s, of bytes.
    found.speed /= 1024;
    found.videoBitrate /= 125;
    found.audioBitrate /= 125;
    return {
        playerType: 'FlvPlayer',
        url,
        hasRedirect: isRedirected,
        redirectedURL: finalUrl || undefined,
        loaderType: `${transport === 'fetch' ? 'fetch-stream' : transport}-loader`,
        transport,
        currentSegmentIndex: 0,
        totalSegmentCount: 1,
        ...found,
        width: found.width || 0,
        height: found.height || 0,
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
