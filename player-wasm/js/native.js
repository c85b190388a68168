/** A player for what the browser plays by itself: MP4, WebM and the like. @module */
import { ElementPlayer, empty, handled } from './base.js';
import { settle } from './config.js';
import { Events } from './events.js';

export class NativePlayer extends ElementPlayer {
    #source;
    #interval;
    /** Ends what is told of a load. @type {AbortController | undefined} */
    #loading;
    /** What tells of it. @type {import('./watcher.js').Watcher | undefined} */
    #watcher;

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
        return this.#watcher?.mediaInfo ?? {};
    }

    get statisticsInfo() {
        return this.#watcher?.statisticsInfo ?? {};
    }

    /** @param {HTMLMediaElement} element */
    attachMediaElement(element) {
        this.detachMediaElement();
        this.follow(element);
    }

    detachMediaElement() {
        this.unload();
        this.leave();
    }

    /** @returns {Promise<Record<string, any>>} resolves with the media info */
    load() {
        const { element, emitter } = this;
        if (!element) throw new Error('a media element must be attached before load()');
        this.unload();
        if (this.#source.withCredentials) element.crossOrigin = 'use-credentials';
        element.src = /** @type {string} */ (this.#source.url);
        const { signal } = (this.#loading = new AbortController());
        return handled(
            import('./watcher.js').then(({ Watcher }) => {
                const watcher = new Watcher(element, this.#source, emitter, this.#interval, signal);
                if (!signal.aborted) this.#watcher = watcher;
                return watcher.loaded;
            }),
        );
    }

    unload() {
        if (this.#loading && this.element) empty(this.element);
        this.#loading?.abort();
        this.#loading = this.#watcher = undefined;
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
}
