/** What an engine knows, as listeners get it. @module */
import { Info, Stat, Track } from './engine.js';

/** @param {import('./engine.js').Engine} engine @param {Record<string, any> | undefined} metadata @param {number} duration seconds */
export function mediaInfo(engine, metadata, duration) {
    const known = (info) => {
        const value = engine.info(info);
        return Number.isNaN(value) ? undefined : value;
    };
    const [videoCodec, audioCodec] = [engine.codec(Track.Video), engine.codec(Track.Audio)];
    const codecs = [videoCodec, audioCodec].filter(Boolean).join(',');
    return {
        mimeType: `video/x-flv; codecs="${codecs}"`,
        duration: duration ? Math.round(duration * 1000) : undefined,
        hasVideo: engine.has_track(Track.Video),
        hasAudio: engine.has_track(Track.Audio),
        videoCodec: videoCodec || undefined,
        audioCodec: audioCodec || undefined,
        width: known(Info.Width),
        height: known(Info.Height),
        fps: known(Info.Fps),
        profile: known(Info.Profile),
        level: known(Info.Level),
        refFrames: known(Info.RefFrames),
        chromaFormat: known(Info.ChromaFormat),
        sarNum: known(Info.SarNum),
        sarDen: known(Info.SarDen),
        bitDepth: known(Info.BitDepth),
        colourPrimaries: known(Info.ColourPrimaries),
        transfer: known(Info.Transfer),
        matrix: known(Info.Matrix),
        reorderFrames: known(Info.ReorderFrames),
        audioSampleRate: known(Info.SampleRate),
        audioChannelCount: known(Info.Channels),
        videoDataRate: metadata?.videodatarate,
        audioDataRate: metadata?.audiodatarate,
        metadata,
        hasKeyframesIndex: Boolean(metadata?.keyframes?.times?.length),
        segmentCount: 1,
    };
}

/** @param {import('./engine.js').Engine} engine @param {number} at ms */
export function statistics(engine, at) {
    const stat = (which) => engine.stat(which, at);
    return {
        speed: stat(Stat.Speed) / 1024,
        decodedFrames: stat(Stat.Decoded),
        droppedFrames: stat(Stat.Dropped),
        latency: stat(Stat.Latency),
        captureLatency: stat(Stat.CaptureLatency),
        targetLatency: stat(Stat.TargetLatency),
        jitter: stat(Stat.Jitter),
        buffered: stat(Stat.Buffered),
        videoBuffered: stat(Stat.VideoBuffered),
        audioBuffered: stat(Stat.AudioBuffered),
        currentTime: stat(Stat.Position),
        playbackRate: stat(Stat.PlaybackRate),
        fps: stat(Stat.Fps),
        gopLength: stat(Stat.GopLength),
        videoBitrate: (stat(Stat.VideoRate) * 8) / 1000,
        audioBitrate: (stat(Stat.AudioRate) * 8) / 1000,
        width: engine.info(Info.Width) || 0,
        height: engine.info(Info.Height) || 0,
        bytesReceived: stat(Stat.BytesReceived),
        keyframesSeen: stat(Stat.KeyframesSeen),
        appends: stat(Stat.Appends),
        stalls: stat(Stat.Stalls),
        jumps: stat(Stat.Jumps),
        nudges: stat(Stat.Nudges),
        rebuilds: stat(Stat.Rebuilds),
        reconnects: stat(Stat.Reconnects),
        skippedFrames: stat(Stat.Skipped),
        resyncs: stat(Stat.Resyncs),
        badTags: stat(Stat.BadTags),
        discontinuities: stat(Stat.Discontinuities),
        audioFramesInserted: stat(Stat.SilenceInserted),
        audioFramesDropped: stat(Stat.SoundDropped),
        audioFilled: stat(Stat.AudioFilled),
    };
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
