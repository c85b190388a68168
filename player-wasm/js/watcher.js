/** Tells of what the browser plays by itself. Loaded when it is to. @module */
import { pictureCounts } from './base.js';
import { ErrorDetails, ErrorTypes } from './errors.js';
import { Events } from './events.js';

export class Watcher {
    #element;
    #source;
    #emitter;
    /** The media info, once it is known. @type {Promise<Record<string, any>>} */
    loaded;

    /**
     * @param {HTMLMediaElement} element @param {import('./index.d.ts').MediaDataSource} source
     * @param {import('./events.js').Emitter} emitter @param {number} interval of statistics, ms @param {AbortSignal} signal ends it
     */
    constructor(element, source, emitter, interval, signal) {
        this.#element = element;
        this.#source = source;
        this.#emitter = emitter;
        this.loaded = new Promise((resolve, reject) => {
            if (signal.aborted) return;
            const timer = setInterval(() => emitter.emit(Events.STATISTICS_INFO, this.statisticsInfo), interval);
            signal.addEventListener('abort', () => clearInterval(timer));
            const known = () => {
                emitter.emit(Events.MEDIA_INFO, this.mediaInfo);
                resolve(this.mediaInfo);
            };
            const failed = () => {
                this.#fail();
                reject(element.error);
            };
            // It may have happened while this was loaded.
            if (element.readyState > 0) known();
            else element.addEventListener('loadedmetadata', known, { signal });
            if (element.error) failed();
            else element.addEventListener('error', failed, { signal });
        });
    }

    get mediaInfo() {
        const { videoWidth: width, videoHeight: height, duration, readyState, tagName } = /** @type {HTMLVideoElement} */ (this.#element);
        const mimeType = `${tagName === 'AUDIO' ? 'audio' : 'video'}/${this.#source.type}`;
        return readyState ? { mimeType, duration: Math.floor(duration * 1000), width, height } : {};
    }

    get statisticsInfo() {
        const { decoded: decodedFrames, dropped: droppedFrames } = pictureCounts(this.#element);
        return { playerType: 'NativePlayer', url: this.#source.url, decodedFrames, droppedFrames };
    }

    #fail() {
        const { error } = this.#element;
        const info = { code: error?.code ?? -1, msg: error?.message || 'the browser cannot play it', fatal: true, recovered: false };
        this.#emitter.emit(Events.ERROR, ErrorTypes.MEDIA_ERROR, ErrorDetails.MEDIA_MSE_ERROR, { ...info, context: { url: this.#source.url } });
    }
}
