/** What an engine knows, as listeners get it. @module */
import { Info, Stat, Track } from './engine.js';

/** By the names of mpegts.js, where it has one. @type {Record<number, string>} */
const INFO = {
    [Info.Width]: 'width',
    [Info.Height]: 'height',
    [Info.Fps]: 'fps',
    [Info.Profile]: 'profile',
    [Info.Level]: 'level',
    [Info.RefFrames]: 'refFrames',
    [Info.ChromaFormat]: 'chromaFormat',
    [Info.SarNum]: 'sarNum',
    [Info.SarDen]: 'sarDen',
    [Info.SampleRate]: 'audioSampleRate',
    [Info.Channels]: 'audioChannelCount',
    [Info.BitDepth]: 'bitDepth',
    [Info.ColourPrimaries]: 'colourPrimaries',
    [Info.Transfer]: 'transfer',
    [Info.Matrix]: 'matrix',
    [Info.ReorderFrames]: 'reorderFrames',
};

/** @type {Record<number, string>} */
const STATISTICS = {
    [Stat.Latency]: 'latency',
    [Stat.TargetLatency]: 'targetLatency',
    [Stat.Jitter]: 'jitter',
    [Stat.Buffered]: 'buffered',
    [Stat.Position]: 'currentTime',
    [Stat.PlaybackRate]: 'playbackRate',
    [Stat.Speed]: 'speed',
    [Stat.VideoRate]: 'videoBitrate',
    [Stat.AudioRate]: 'audioBitrate',
    [Stat.Fps]: 'fps',
    [Stat.Decoded]: 'decodedFrames',
    [Stat.Dropped]: 'droppedFrames',
    [Stat.Appends]: 'appends',
    [Stat.Stalls]: 'stalls',
    [Stat.Jumps]: 'jumps',
    [Stat.Nudges]: 'nudges',
    [Stat.Rebuilds]: 'rebuilds',
    [Stat.Skipped]: 'skippedFrames',
    [Stat.Resyncs]: 'resyncs',
    [Stat.BadTags]: 'badTags',
    [Stat.Discontinuities]: 'discontinuities',
    [Stat.SilenceInserted]: 'audioFramesInserted',
    [Stat.SoundDropped]: 'audioFramesDropped',
    [Stat.CaptureLatency]: 'captureLatency',
    [Stat.VideoBuffered]: 'videoBuffered',
    [Stat.AudioBuffered]: 'audioBuffered',
    [Stat.GopLength]: 'gopLength',
    [Stat.Reconnects]: 'reconnects',
    [Stat.BytesReceived]: 'bytesReceived',
    [Stat.KeyframesSeen]: 'keyframesSeen',
    [Stat.AudioFilled]: 'audioFilled',
};

/** Numbers by the names that a list has for them. @param {Record<number, string>} list @param {(which: number) => any} value */
function named(list, value) {
    return Object.fromEntries(Object.entries(list).map(([which, name]) => [name, value(Number(which))]));
}

/** @param {import('./engine.js').Engine} engine @param {Record<string, any> | undefined} metadata @param {number} duration seconds */
export function mediaInfo(engine, metadata, duration) {
    const [videoCodec, audioCodec] = [engine.codec(Track.Video), engine.codec(Track.Audio)];
    const codecs = [videoCodec, audioCodec].filter(Boolean).join(',');
    return {
        mimeType: `video/x-flv; codecs="${codecs}"`,
        duration: duration ? Math.round(duration * 1000) : undefined,
        hasVideo: engine.has_track(Track.Video),
        hasAudio: engine.has_track(Track.Audio),
        videoCodec: videoCodec || undefined,
        audioCodec: audioCodec || undefined,
        ...named(INFO, (info) => {
            const value = engine.info(info);
            return Number.isNaN(value) ? undefined : value;
        }),
        videoDataRate: metadata?.videodatarate,
        audioDataRate: metadata?.audiodatarate,
        metadata,
        hasKeyframesIndex: Boolean(metadata?.keyframes?.times?.length),
        segmentCount: 1,
    };
}

/** @param {import('./engine.js').Engine} engine @param {number} at ms */
export function statistics(engine, at) {
    const found = named(STATISTICS, (stat) => engine.stat(stat, at));
    // KiB/s and kbit/s, of bytes.
    found.speed /= 1024;
    found.videoBitrate /= 125;
    found.audioBitrate /= 125;
    return { ...found, width: engine.info(Info.Width) || 0, height: engine.info(Info.Height) || 0 };
}

/**
 * A message as mpegts.js tells it.
 * @param {number} type `payloadType` @param {number} time seconds; NaN: not known @param {Uint8Array} payload
 */
export function seiMessage(type, time, payload) {
    const isUserData = type === USER_DATA && payload.length >= UUID;
    const parts = isUserData && { uuid: payload.slice(0, UUID), user_data: payload.slice(UUID) };
    return { type, size: payload.length, payload, ...parts, pts: Number.isNaN(time) ? undefined : time * 1000 };
}

/** `payloadType` of user data that begins with a UUID. */
const USER_DATA = 5;

const UUID = 16;
