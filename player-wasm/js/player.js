/** The player: what a page talks to. It owns the element and events; the rest is its host's. @module */
import { settle } from './config.js';
import { otherFailure, textOf } from './errors.js';
import { Emitter, Events, callSafely } from './events.js';
import { canUseWorker, mainLink, workerLink } from './link.js';
import { log } from './logging.js';
import { PlayheadReporter } from './playhead.js';
import { compileWasm } from './wasm.js';

export class FlvPlayer {
    #source;
    #config;
    #emitter = new Emitter();
    /** @type {HTMLVideoElement | undefined} */
    #element;
    /** @type {AbortController | undefined} ends our listening to the element */
    #listening;
    /** @type {PlayheadReporter | undefined} */
    #reporter;
    /** @type {import('./link.js').Link | undefined} */
    #link;
    /** Counts loads: what comes from an earlier one is stale. */
    #generation = 0;
    #loaded = false;
    /** The element was taken away while loaded: the next one gets the stream anew. */
    #reloads = false;
    #destroyed = false;
    /** What the host wants in the element, until there is one. @type {any} */
    #attachment;
    #isAttached = false;
    /** Whether the page asked to play. */
    #wantsToPlay = false;
    /** Calls of `play()` from before there was something in the element. @type {PromiseWithResolvers<void>[]} */
    #waitingToPlay = [];
    #mediaInfo = {};
    #statisticsInfo = {};

    /**
     * @param {import('./index.d.ts').MediaDataSource} mediaDataSource
     * @param {Partial<import('./index.d.ts').Config>} [config]
     */
    constructor(mediaDataSource, config) {
        if (mediaDataSource?.type?.toLowerCase() !== 'flv') {
            throw new TypeError(`mediaDataSource.type is '${mediaDataSource?.type}'; this player plays 'flv'`);
        }
        if (typeof mediaDataSource.url !== 'string') {
            throw new TypeError('mediaDataSource.url is missing');
        }
        this.#source = mediaDataSource;
        this.#config = settle(config);
    }

    get type() {
        return 'FlvPlayer';
    }

    /** What is known of the stream; see the `media_info` event. */
    get mediaInfo() {
        return { ...this.#mediaInfo };
    }

    /** The last statistics; see the `statistics_info` event. */
    get statisticsInfo() {
        return { ...this.#statisticsInfo };
    }

    /** The element's buffered ranges. */
    get buffered() {
        return this.#element?.buffered;
    }

    get duration() {
        return this.#element?.duration ?? NaN;
    }

    get volume() {
        return this.#element?.volume ?? 1;
    }

    set volume(volume) {
        if (this.#element) this.#element.volume = volume;
    }

    get muted() {
        return this.#element?.muted ?? false;
    }

    set muted(muted) {
        if (this.#element) this.#element.muted = muted;
    }

    get currentTime() {
        return this.#element?.currentTime ?? 0;
    }

    set currentTime(seconds) {
        if (this.#element) this.#element.currentTime = seconds;
    }

    /** @param {string} event @param {Function} listener */
    on(event, listener) {
        this.#emitter.on(event, listener);
        // As with mpegts.js: who comes late is told once what is known.
        const known = { [Events.MEDIA_INFO]: this.#mediaInfo, [Events.STATISTICS_INFO]: this.#statisticsInfo }[event];
        if (known && Object.keys(known).length > 0) queueMicrotask(() => callSafely(listener, [{ ...known }]));
    }

    /** @param {string} event @param {Function} listener */
    off(event, listener) {
        this.#emitter.off(event, listener);
    }

    /** @param {HTMLVideoElement} element */
    attachMediaElement(element) {
        this.#assertAlive();
        if (this.#element) this.detachMediaElement();
        this.#element = element;
        this.#listening = new AbortController();
        const { signal } = this.#listening;
        element.addEventListener('error', () => this.#reportElementError(), { signal });
        // Whoever uses the element's own controls means it; a browser that pauses for an error does not.
        element.addEventListener('play', () => this.#setWish(true), { signal });
        element.addEventListener('pause', () => element.error || this.#setWish(false), { signal });
        // A page that the browser puts aside would keep its connection, and get it all on return.
        addEventListener('pagehide', () => this.#putAside(), { signal });
        addEventListener('pageshow', () => this.#reloads && this.#start(), { signal });
        // The attribute would leave the start to the browser, and Firefox waits for three seconds of media.
        if (element.autoplay) this.#wantsToPlay = true;
        if (this.#reloads) this.#start();
        else this.#attach();
    }

    /** Takes the stream out of the element; the next one that is attached gets it anew. */
    detachMediaElement() {
        this.#reloads = this.#loaded;
        this.#release();
        this.#listening?.abort();
        this.#listening = undefined;
        this.#element = undefined;
    }

    /** Starts to load the stream. */
    load() {
        this.#assertAlive();
        if (this.#loaded) this.unload();
        this.#start();
    }

    /** Stops loading and empties the element. */
    unload() {
        this.#reloads = false;
        this.#release();
    }

    /**
     * Plays as soon as something is loaded.
     * @returns {Promise<void>} what the element's own `play()` promises; rejected if the player is unloaded before
     */
    play() {
        this.#assertAlive();
        this.#wantsToPlay = true;
        if (this.#isAttached) return handled(this.#element.play());
        const waiting = withResolvers();
        this.#waitingToPlay.push(waiting);
        return handled(waiting.promise);
    }

    pause() {
        this.#wantsToPlay = false;
        this.#element?.pause();
    }

    /** Ends everything; the player cannot be used again. May be called more than once. */
    destroy() {
        if (this.#destroyed) return;
        this.#emitter.emit(Events.DESTROYING);
        this.#release();
        this.#destroyed = true;
        this.#link?.close();
        this.#link = undefined;
        this.#listening?.abort();
        this.#element = undefined;
        this.#emitter.clear();
    }

    #start() {
        this.#reloads = false;
        this.#loaded = true;
        this.#generation += 1;
        this.#link ??= this.#openLink();
        this.#sendLoad();
    }

    #sendLoad() {
        const id = this.#generation;
        const compiling = compileWasm(this.#config.wasmUrl);
        const { url, headers, withCredentials, hasAudio, hasVideo } = this.#source;
        const address = new URL(url, document.baseURI);
        const config = this.#config;
        const isWebSocket = address.protocol.startsWith('ws');
        this.#link.post({
            type: 'load',
            id,
            request: {
                url: address.href,
                headers: { ...config.headers, ...headers },
                withCredentials,
                referrerPolicy: config.referrerPolicy,
                connectTimeout: config.connectTimeout,
            },
            config: {
                ...pick(config, HOST_KEYS),
                isLive: this.#source.isLive ?? isWebSocket,
                hasAudio,
                hasVideo,
            },
        });
        compiling.then(
            (module) => this.#link?.post({ type: 'wasm', id, module }),
            (error) => this.#fail(otherFailure(`the player's WebAssembly could not be loaded: ${textOf(error)}`), id),
        );
    }

    /** @returns {import('./link.js').Link} */
    #openLink() {
        const { mode, workerUrl } = this.#config;
        const receive = (message) => this.#receive(message);
        if (mode === 'worker' || (mode === 'auto' && canUseWorker())) {
            try {
                return workerLink(workerUrl, receive, (why) => this.#fallBack(why));
            } catch (error) {
                log('warn', `no worker (${error}); playing on the page's thread`);
            }
        }
        return this.#openMainLink();
    }

    #openMainLink() {
        return mainLink(
            (message) => this.#receive(message),
            (why) => this.#fail(otherFailure(`the player's modules could not be loaded: ${why}`)),
        );
    }

    /** The worker could not start: everything on this thread then. @param {string} why */
    #fallBack(why) {
        log('warn', `no worker (${why}); playing on the page's thread`);
        this.#link = this.#openMainLink();
        if (this.#loaded) this.#sendLoad();
    }

    /** @param {any} message from the host */
    #receive(message) {
        if (message.type === 'hello') return;
        if (message.type === 'crash') {
            this.#fail(otherFailure(`the worker failed: ${message.text}`));
            return;
        }
        if (message.id !== this.#generation || !this.#loaded) return;
        switch (message.type) {
            case 'attach':
                this.#attachment = message;
                this.#attach();
                break;
            case 'seek':
                if (this.#element) this.#element.currentTime = message.time;
                break;
            case 'rate':
                if (this.#element) this.#element.playbackRate = message.rate;
                break;
            case 'event':
                this.#emit(message.name, message.args);
                break;
        }
    }

    /** @param {string} name @param {any[]} args */
    #emit(name, args) {
        if (name === Events.MEDIA_INFO) [this.#mediaInfo] = args;
        if (name === Events.STATISTICS_INFO) {
            args[0].mode = this.#link?.mode;
            [this.#statisticsInfo] = args;
        }
        // What is left plays to its end, but there is nothing to catch up with any more.
        if ((name === Events.ERROR || name === Events.LOADING_COMPLETE) && this.#element) this.#element.playbackRate = 1;
        if (name === Events.ERROR) log('error', `${args[0]}: ${args[1]}: ${args[2].msg}`);
        if (name === Events.WARNING) log('warn', `${args[0]}: ${args[1]}: ${args[2].msg}`);
        this.#emitter.emit(name, ...args);
    }

    /** Puts what the host made into the element, once both are there. */
    #attach() {
        const [element, attachment] = [this.#element, this.#attachment];
        if (!element || !attachment) return;
        this.#attachment = undefined;
        if (attachment.managed) element.disableRemotePlayback = true;
        if (attachment.handle) element.srcObject = attachment.handle;
        else element.src = attachment.url;
        this.#isAttached = true;
        this.#reporter ??= new PlayheadReporter(element, (report) =>
            this.#link?.post({ type: 'playhead', id: this.#generation, ...report }),
        );
        const waiting = this.#waitingToPlay.splice(0);
        if (this.#wantsToPlay) {
            const played = handled(element.play());
            for (const { resolve } of waiting) resolve(played);
        }
    }

    /** @param {boolean} plays */
    #setWish(plays) {
        if (this.#isAttached) this.#wantsToPlay = plays;
    }

    #reportElementError() {
        const error = this.#element?.error;
        if (!error || !this.#isAttached) return;
        this.#link?.post({ type: 'element-error', id: this.#generation, code: error.code, text: error.message });
    }

    /** A failure on this side of the link. @param {import('./errors.js').Failure} failure @param {number} [id] of which load */
    #fail({ type, detail, ...info }, id = this.#generation) {
        if (id !== this.#generation || !this.#loaded) return;
        this.#link?.post({ type: 'unload' });
        this.#emit(Events.ERROR, [type, detail, { ...info, fatal: true }]);
    }

    /** Ends a load: host, element and those who wait. */
    #release() {
        if (this.#loaded) this.#link?.post({ type: 'unload' });
        this.#loaded = false;
        this.#generation += 1;
        this.#attachment = undefined;
        this.#reporter?.stop();
        this.#reporter = undefined;
        if (this.#isAttached && this.#element) empty(this.#element);
        this.#isAttached = false;
        this.#mediaInfo = {};
        this.#statisticsInfo = {};
        const aborted = () => new DOMException('The player was unloaded before it could play.', 'AbortError');
        for (const { reject } of this.#waitingToPlay.splice(0)) reject(aborted());
    }

    #putAside() {
        const wasLoaded = this.#loaded;
        this.#release();
        this.#reloads = wasLoaded;
    }

    #assertAlive() {
        if (this.#destroyed) throw new Error('the player is destroyed');
    }
}

/** What of the settings the host needs: plain values that can be sent to a worker. */
const HOST_KEYS = ['targetLatency', 'maxTargetLatency', 'maxPlaybackRate', 'backBuffer', 'silenceWarningTimeout', 'silenceTimeout', 'statisticsInfoReportInterval'];

/** @param {Record<string, any>} object @param {string[]} keys */
function pick(object, keys) {
    return Object.fromEntries(keys.map((key) => [key, object[key]]));
}

/** Nobody need look at the result: a rejection is then not "uncaught". @template T @param {Promise<T>} promise */
function handled(promise) {
    promise?.catch(() => {});
    return promise;
}

/** @param {HTMLVideoElement} element */
function empty(element) {
    element.playbackRate = 1;
    element.srcObject = null;
    element.removeAttribute('src');
    element.load();
}

/** `Promise.withResolvers`, which Safari has since 17.4 only. @returns {PromiseWithResolvers<void>} */
function withResolvers() {
    let resolve, reject;
    const promise = new Promise((onResolve, onReject) => {
        resolve = onResolve;
        reject = onReject;
    });
    return { promise, resolve, reject };
}
