/** What is to be loaded, by what the page said: the source comes before the configuration. @module */
import { engineSettings } from './config.js';
import { Message } from './messages.js';

/** @typedef {import('./index.d.ts').MediaDataSource & Record<string, any>} Source */
/** @typedef {Record<string, any>} Config what `settle` makes of it */

/** All addresses, as they were given. @param {Source} source @param {Config} config @returns {string[]} */
export function addresses(source, config) {
    const { segments, url = segments?.[0]?.url, alternateUrls } = source;
    return [url, ...(alternateUrls ?? config.alternateUrls ?? [])];
}

/** @param {Source} source @param {Config} config @returns {boolean} */
export function isLive(source, config) {
    return source.isLive ?? config.isLive ?? isSocket(addresses(source, config)[0]);
}

/** @param {string} url */
export function isSocket(url) {
    return /^ws/i.test(url);
}

/** Whether the larger build is wanted from the start: only that looks for SEI messages, and tells tracks apart. @param {Config} config @param {boolean} sei */
export function wantsFull({ module, videoTrackId, audioTrackId }, sei) {
    return module === 'full' || (module !== 'core' && (sei || (videoTrackId ?? audioTrackId) != null));
}

/**
 * What the host is told.
 * @param {Source} source
 * @param {Config} settled
 * @param {{urls: string[], sei: boolean, id: number, others: number, mode: string}} load `others`: players of the page that play
 */
export function loadMessage(source, settled, { urls, sei, id, others, mode }) {
    const { workerUrl, wasmUrl, headers: always, alternateUrls, ...config } = settled;
    const { headers, cors, hasAudio = config.hasAudio, hasVideo = config.hasVideo, ...rest } = source;
    const live = isLive(source, settled);
    return {
        type: Message.Load,
        id,
        request: {
            url: urls[0],
            urls,
            headers: { ...always, ...headers },
            credentials: rest.withCredentials ? 'include' : 'same-origin',
            mode: cors === false ? 'same-origin' : undefined,
            referrerPolicy: config.referrerPolicy,
            cache: 'no-store',
            connectTimeout: config.connectTimeout,
            others,
        },
        // Everything that was said, but for what only this side needs: a host takes what it knows.
        config: { ...config, mode, isLive: live, duration: rest.duration, filesize: rest.filesize },
        settings: engineSettings({ ...config, isLive: live, hasAudio, hasVideo, sei }),
    };
}
