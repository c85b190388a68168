/** A player for what the browser plays by itself: MP4, WebM and the like. @module */
import { ElementPlayer, empty, handled, pictureCounts } from './base.js';
import { settle } from './config.js';
import { ErrorDetails, ErrorTypes } from './errors.js';
import { Events } from './events.js';

export class NativePlayer extends ElementPlayer {
    #source;
    #interval;
    /** @type {ReturnType<typeof setInterval> | undefined} */
    #timer;

    /**
     * @param {import('./index.d.ts').MediaDataSource} mediaDataSource
     * @param {import('./index.d.ts').Config} [config]
     */
    constructor(mediaDataSource, config) {
        super();
        if (typeof mediaDataSource?.url !== 'string') throw new TypeError('mediaDataSource.url is missing');
        this.#source = mediaDataSource;
        this.#interval = settle(config).statisticsInfoReportInterval;
    }

    get type() {
        return 'NativePlayer';
    }

    get mediaInfo() {
        const { element } = this;
        const { videoWidth: width, videoHeight: height } = /** @type {Partial<HTMLVideoElement>} */ (element ?? {});
        const kind = element?.tagName === 'AUDIO' ? 'audio' : 'video';
        const duration = Math.floor((element?.duration ?? NaN) * 1000);
        return element?.readyState ? { mimeType: `${kind}/${this.#source.type}`, duration, width, height } : {};
    }

    get statisticsInfo() {
        const { decoded: decodedFrames, dropped: droppedFrames } = pictureCounts(this.element);
        return this.#timer ? { playerType: this.type, url: this.#source.url, decodedFrames, droppedFrames } : {};
    }

    /** @param {HTMLMediaElement} element */
    attachMediaElement(element) {
        this.detachMediaElement();
        const signal = this.follow(element);
        element.addEventListener('loadedmetadata', () => this.emitter.emit(Events.MEDIA_INFO, this.mediaInfo), { signal });
        element.addEventListener('error', () => this.#timer && this.#fail(element.error), { signal });
    }

    detachMediaElement() {
        this.unload();
        this.leave();
    }

    /** @returns {Promise<Record<string, any>>} resolves with the media info */
    load() {
        const { element } = this;
        if (!element) throw new Error('a media element must be attached before load()');
        this.unload();
        element.crossOrigin = this.#source.withCredentials ? 'use-credentials' : element.crossOrigin;
        element.src = /** @type {string} */ (this.#source.url);
        this.#timer = setInterval(() => this.emitter.emit(Events.STATISTICS_INFO, this.statisticsInfo), this.#interval);
        return handled(
            new Promise((resolve, reject) => {
                const { signal } = /** @type {AbortController} */ (this.listening);
                element.addEventListener('loadedmetadata', () => resolve(this.mediaInfo), { once: true, signal });
                element.addEventListener('error', () => reject(element.error), { once: true, signal });
            }),
        );
    }

    unload() {
        clearInterval(this.#timer);
        if (this.#timer && this.element) empty(this.element);
        this.#timer = undefined;
    }

    /** @returns {Promise<void>} */
    play() {
        return this.element ? handled(this.element.play()) : Promise.reject(new Error('no media element is attached'));
    }

    async destroy() {
        this.emitter.emit(Events.DESTROYING);
        this.detachMediaElement();
        this.emitter.clear();
    }

    /** @param {MediaError | null} error */
    #fail(error) {
        const info = { code: error?.code ?? -1, msg: error?.message || 'the browser cannot play it', fatal: true, recovered: false };
        this.emitter.emit(Events.ERROR, ErrorTypes.MEDIA_ERROR, ErrorDetails.MEDIA_MSE_ERROR, { ...info, context: { url: this.#source.url } });
    }
}
