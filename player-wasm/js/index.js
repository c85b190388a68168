/**
 * Pushpull player: live FLV over HTTP and WebSocket in a `<video>` element.
 *
 * The face is that of flv.js and mpegts.js. Importing has no effects and works without a browser.
 * @module
 */
import { ErrorDetails, ErrorTypes } from './errors.js';
import { Events } from './events.js';
import { canUseWorker } from './link.js';
import { LoggingControl } from './logging.js';
import { FlvPlayer } from './player.js';

/**
 * A player for one stream.
 * @param {import('./index.d.ts').MediaDataSource} mediaDataSource
 * @param {Partial<import('./index.d.ts').Config>} [config]
 * @returns {FlvPlayer}
 */
export function createPlayer(mediaDataSource, config) {
    return new FlvPlayer(mediaDataSource, config);
}

/** Whether this browser can play what a live FLV stream usually carries: H.264 and AAC. */
export function isSupported() {
    const { mseLivePlayback, networkStreamIO } = getFeatureList();
    return mseLivePlayback && networkStreamIO;
}

/** What this browser can do, by the names of mpegts.js and of flv.js. */
export function getFeatureList() {
    const can = (type) => mediaSource()?.isTypeSupported(type) === true;
    const element = globalThis.document?.createElement('video');
    const playable = can('video/mp4; codecs="avc1.42E01E,mp4a.40.2"') && typeof WebAssembly === 'object';
    const streams = typeof fetch === 'function' && typeof ReadableStream === 'function';
    return {
        msePlayback: playable,
        mseLivePlayback: playable && streams,
        mseH265Playback: false,
        mseFlvPlayback: playable,
        mseLiveFlvPlayback: playable && streams,
        networkStreamIO: streams,
        networkLoaderName: 'fetch-stream-loader',
        nativeMP4H264Playback: Boolean(element?.canPlayType('video/mp4; codecs="avc1.42E01E"')),
        workerPlayback: playable && canUseWorker(),
    };
}

function mediaSource() {
    return globalThis.MediaSource ?? globalThis.ManagedMediaSource;
}

export { ErrorDetails, ErrorTypes, Events, FlvPlayer, LoggingControl };

export default { createPlayer, isSupported, getFeatureList, Events, ErrorTypes, ErrorDetails, FlvPlayer, LoggingControl };
