/**
 * Pushpull player: live FLV over HTTP and WebSocket in a `<video>` element.
 *
 * The face is that of flv.js and mpegts.js. Importing has no effects and works without a browser.
 * @module
 */
import { ErrorDetails, ErrorTypes } from './errors.js';
import { Events } from './events.js';
import { bestMode } from './link.js';
import { BaseLoader, LoaderErrors, LoaderStatus } from './loader.js';
import { LoggingControl } from './logging.js';
import { NativePlayer } from './native.js';
import { FlvPlayer, isOurs } from './player.js';

/** The version of this package. */
const version = '0.1.0';

/**
 * A player for one stream or file.
 * @param {import('./index.d.ts').MediaDataSource} mediaDataSource
 * @param {import('./index.d.ts').Config} [config]
 * @returns {FlvPlayer | NativePlayer} the latter for what a browser plays by itself, such as type `mp4`
 */
export function createPlayer(mediaDataSource, config) {
    if (typeof mediaDataSource?.type !== 'string') throw new TypeError('mediaDataSource.type is missing');
    return isOurs(mediaDataSource.type) ? new FlvPlayer(mediaDataSource, config) : new NativePlayer(mediaDataSource, config);
}

/** Whether this browser can play what an FLV stream usually carries: H.264 and AAC. */
export function isSupported() {
    const { mseLivePlayback, networkStreamIO } = getFeatureList();
    return mseLivePlayback && networkStreamIO;
}

/** What this browser can do, by the names of mpegts.js and of flv.js. */
export function getFeatureList() {
    const Source = globalThis.MediaSource ?? globalThis.ManagedMediaSource;
    const can = (codecs) => Source?.isTypeSupported(`video/mp4; codecs="${codecs}"`) === true;
    const element = globalThis.document?.createElement('video');
    const plays = (codecs, type = 'mp4') => Boolean(element?.canPlayType(`video/${type}; codecs="${codecs}"`));
    const playable = can(AVC) && Boolean(globalThis.WebAssembly);
    const streams = Boolean(globalThis.ReadableStream);
    return {
        msePlayback: playable,
        mseLivePlayback: playable && streams,
        mseH265Playback: playable && can(HEVC),
        mseFlvPlayback: playable,
        mseLiveFlvPlayback: playable && streams,
        networkStreamIO: streams,
        networkLoaderName: 'fetch-stream-loader',
        nativeMP4H264Playback: plays(AVC),
        nativeMP4H265Playback: plays(HEVC),
        nativeWebmVP8Playback: plays('vp8.0,vorbis', 'webm'),
        nativeWebmVP9Playback: plays('vp9', 'webm'),
        workerPlayback: playable && bestMode() !== 'main',
    };
}

/** Baseline profile, level 3.0, with sound. */
const AVC = 'avc1.42E01E,mp4a.40.2';

/** Main profile, level 3.1. */
const HEVC = 'hvc1.1.6.L93.B0';

export { BaseLoader, ErrorDetails, ErrorTypes, Events, FlvPlayer, LoaderErrors, LoaderStatus, LoggingControl, NativePlayer, version };
export { FlvPlayer as MSEPlayer };

export default {
    createPlayer,
    isSupported,
    getFeatureList,
    version,
    Events,
    ErrorTypes,
    ErrorDetails,
    FlvPlayer,
    MSEPlayer: FlvPlayer,
    NativePlayer,
    LoggingControl,
    BaseLoader,
    LoaderStatus,
    LoaderErrors,
};
