/** The player: what a page talks to. It owns the element and events; the rest is its host's. @module */
import { aborted, ElementPlayer, empty, handled, pictureCounts, withResolvers } from './base.js';
import { hasForeign, settle } from './config.js';
import { ErrorDetails, networkFailure, otherFailure, stepOf, textOf } from './errors.js';
import { Events } from './events.js';
import { bestMode, workerLink } from './link.js';
import { log } from './logging.js';
import { Message } from './messages.js';
import { watchPlayhead } from './playhead.js';
import { mediaInfo, netStatus, statistics } from './report.js';
import { addresses, isLive, isSocket, loadMessage, wantsFull } from './request.js';
import { wakeSound } from './sound.js';
import { compileWasm } from './wasm.js';
import { wordsFor } from './words.js';

export class FlvPlayer extends ElementPlayer {
    /** How many players have something loaded. */
    static #open = 0;
    #source;
    #config;
    /** Settings by the names of others are being understood. @type {Promise<unknown> | undefined} */
    #adapting;
    /** Ends the reports of the playhead. @type {(() => void) | undefined} */
    #stopReports;
    /** @type {import('./link.js').Link | undefined} */
    #link;
    /** Counts loads: what comes from an earlier one is stale. */
    #generation = 0;
    #loaded = false;
    /** The element was taken away while loaded: the next one gets the stream anew. */
    #reloads = false;
    #destroyed = false;
    /** The connection was lost and is being opened anew. */
    #reconnects = false;
    /** What the host wants in the element, until there is one. @type {any} */
    #attachment;
    #isAttached = false;
    /** Whether the page asked to play. */
    #wantsToPlay = false;
    /** Calls of `play()` from before there was something in the element. @type {PromiseWithResolvers<void>[]} */
    #waitingToPlay = [];
    /** What the last `load()` returned, until it is settled. @type {PromiseWithResolvers<any> | undefined} */
    #loading;
    /** Requests to the host that it answers. @type {PromiseWithResolvers<any>[]} */
    #asked = [];
    #mediaInfo = {};
    #statisticsInfo = /** @type {Record<string, any>} */ ({});
    /** Events that wait for words. @type {Promise<void> | undefined} */
    #telling;
    /** Once there are cues that somebody wants to see presented. @type {Promise<import('./cues.js').Cues | undefined> | undefined} */
    #cues;
    /** Once somebody listens to states. @type {Promise<import('./states.js').States | undefined> | undefined} */
    #states;

    /**
     * @param {import('./index.d.ts').MediaDataSource} mediaDataSource
     * @param {import('./index.d.ts').Config} [config]
     */
    constructor(mediaDataSource, config) {
        super();
        if (!isOurs(mediaDataSource?.type)) {
            throw new TypeError(`mediaDataSource.type is '${mediaDataSource?.type}'; this player plays 'flv'`);
        }
        const { url, segments } = mediaDataSource;
        if (typeof url !== 'string' && !segments?.length) throw new TypeError('mediaDataSource.url is missing');
        this.#source = mediaDataSource;
        this.#config = settle(config);
        if (!hasForeign(config)) return;
        const adapted = () => (this.#adapting = undefined);
        this.#adapting = import('./compat.js').then(({ adapt }) => adapt(config, this.#config, log)).then(adapted, adapted);
    }

    get type() {
        return 'FlvPlayer';
    }

    get mediaInfo() {
        return { ...this.#mediaInfo };
    }

    get statisticsInfo() {
        return { ...this.#statisticsInfo };
    }

    /** The statistics with what the element says now, also under the names of WeChat's `live-player`. */
    get stats() {
        const { element } = this;
        const { decoded, dropped } = pictureCounts(element);
        const now = element && { currentTime: element.currentTime, playbackRate: element.playbackRate, decodedFrames: decoded, droppedFrames: dropped };
        const statistics = { ...this.#statisticsInfo, ...now, latencyKind: this.latencyKind };
        return { ...statistics, ...netStatus(statistics) };
    }

    /** How late the picture is, seconds; `latencyKind` says since when. NaN while unknown. */
    get latency() {
        const { captureLatency, latency } = this.#statisticsInfo;
        return this.latencyKind === 'capture' ? captureLatency : (latency ?? NaN);
    }

    /** `capture`: since it was taken, by the stream's wall clock. `buffer`: since it was received. */
    get latencyKind() {
        return Number.isFinite(this.#statisticsInfo.captureLatency) ? 'capture' : 'buffer';
    }

    /** @param {string} event @param {Function} listener */
    on(event, listener) {
        super.on(event, listener);
        if (event === Events.STATE_CHANGE) this.#watchStates();
        if (event.startsWith('sei_') && this.#loaded) this.#ask(Message.Sei);
    }

    /** @param {HTMLMediaElement} element */
    attachMediaElement(element) {
        this.#assertAlive();
        if (this.element) this.detachMediaElement();
        const signal = this.follow(element);
        element.addEventListener('error', () => this.#reportElementError(), { signal });
        // Whoever uses the element's own controls means it; a browser that pauses for an error does not.
        element.addEventListener('play', () => this.#setWish(true), { signal });
        element.addEventListener('pause', () => element.error || this.#setWish(false), { signal });
        element.addEventListener('seeking', () => this.#reportSeek(), { signal });
        // A page that the browser puts aside would keep its connection, and get it all on return.
        addEventListener('pagehide', () => this.#putAside(), { signal });
        addEventListener('pageshow', () => this.#reloads && this.#start(), { signal });
        this.#watch(element, signal);
        // The attribute would leave the start to the browser, and Firefox waits for three seconds of media.
        if (element.autoplay) this.#wantsToPlay = true;
        if (this.#reloads) this.#start();
        else this.#attach();
    }

    /** Takes the stream out of the element; the next one that is attached gets it anew. */
    detachMediaElement() {
        const wasLoaded = this.#loaded;
        this.#release();
        this.#reloads = wasLoaded;
        this.leave();
    }

    /**
     * Starts to load the stream.
     * @returns {Promise<any>} the media info once it is known; rejected when playback cannot go on before that
     */
    load() {
        this.#assertAlive();
        if (this.#loaded) this.unload();
        this.#loading = withResolvers();
        const { promise } = this.#loading;
        this.#start();
        return handled(promise);
    }

    /** Stops loading and empties the element. */
    unload() {
        this.#reloads = false;
        this.#release();
        this.#endLoading(aborted());
    }

    /**
     * Plays as soon as something is loaded.
     * @returns {Promise<void>} what the element's own `play()` promises; rejected if the player is unloaded before
     */
    play() {
        this.#assertAlive();
        this.#wantsToPlay = true;
        if (this.#isAttached) return this.#playElement();
        const waiting = withResolvers();
        this.#waitingToPlay.push(waiting);
        return handled(waiting.promise);
    }

    pause() {
        this.#wantsToPlay = false;
        super.pause();
    }

    /**
     * Ends everything; the player cannot be used again. May be called more than once.
     * @returns {Promise<void>} when nothing of it is left
     */
    async destroy() {
        if (this.#destroyed) return;
        this.emitter.emit(Events.DESTROYING);
        this.unload();
        this.#destroyed = true;
        this.#link?.close();
        this.#link = undefined;
        this.leave();
        this.emitter.clear();
    }

    /**
     * The last seconds of the stream as it came, and what happened: what a bug report needs.
     * @returns {Promise<{flv: ArrayBuffer, log: any[]}>}
     */
    dumpDiagnostics() {
        this.#assertAlive();
        if (!this.#loaded || !this.#link) return handled(Promise.reject(new Error('nothing is loaded')));
        const asked = withResolvers();
        const token = this.#asked.push(asked) - 1;
        this.#ask(Message.Diagnostics, { token });
        return handled(asked.promise);
    }

    #start() {
        this.#reloads = false;
        this.#loaded = true;
        FlvPlayer.#open += 1;
        this.#generation += 1;
        this.#tellStates('load');
        const id = this.#generation;
        if (this.#adapting) this.#adapting.then(() => this.#loaded && id === this.#generation && this.#openSession());
        else this.#openSession();
    }

    #openSession() {
        this.#link ??= this.#openLink();
        if (this.#link) this.#sendLoad();
    }

    #sendLoad() {
        const id = this.#generation;
        const source = this.#source;
        const config = this.#config;
        const refuse = (failure) => this.#fail(failure, id);
        if (/ts$/i.test(source.type) || source.segments?.length > 1) {
            import('./refuse.js').then(({ refusal }) => refusal(source), (error) => otherFailure(textOf(error))).then(refuse);
            return;
        }
        const given = addresses(source, config);
        let urls;
        try {
            urls = given.map((url) => new URL(url, document.baseURI).href);
        } catch (error) {
            queueMicrotask(() => refuse(networkFailure(ErrorDetails.NETWORK_EXCEPTION, -1, textOf(error), { url: given[0] })));
            return;
        }
        if ((source.hasAudio ?? config.hasAudio) !== false && bestMode() === 'worker') wakeSound();
        this.#sendWasm(this.#wantsFull);
        const load = { urls, sei: this.#wantsSei, id, others: FlvPlayer.#open - 1, mode: this.#link.mode };
        this.#link.post(loadMessage(source, config, load));
    }

    /** Compiles the WebAssembly, the larger if it must be, for the host. @param {boolean} full */
    #sendWasm(full) {
        const id = this.#generation;
        this.#compile(full).then(
            (module) => this.#link?.post({ type: Message.Wasm, id, module, full }),
            (error) => this.#fail(otherFailure(`the player's WebAssembly could not be loaded: ${textOf(error)}`), id),
        );
    }

    /** The way to a worker, if there is to be one. */
    #openLink() {
        const { mode: wish, workerUrl } = this.#config;
        const mode = /^(auto|worker)$/.test(wish) ? bestMode() : wish;
        if (mode === 'main') return this.#stayHere();
        try {
            return workerLink(mode, workerUrl, this.#isLiveOverHttp, (message) => this.#receive(message), (why) => this.#fallBack(why));
        } catch (error) {
            return this.#fallBack(textOf(error));
        }
    }

    /** The worker could not start. @param {string} why */
    #fallBack(why) {
        this.#config.mode = 'main';
        log('warn', `no worker (${why}); playing on the page's thread`);
        return this.#stayHere();
    }

    /** Everything on this thread. @returns {undefined} the way there is a load's, once it is found */
    #stayHere() {
        const id = this.#generation;
        this.#link = undefined;
        handled(this.#compile(this.#wantsFull));
        import('./main.js').then(
            ({ mainLink }) => {
                if (!this.#loaded || id !== this.#generation) return;
                this.#link ??= mainLink((message) => this.#receive(message));
                this.#sendLoad();
            },
            (error) => this.#fail(otherFailure(`the player's modules could not be loaded: ${textOf(error)}`), id),
        );
    }

    get #isLiveOverHttp() {
        return isLive(this.#source, this.#config) && !addresses(this.#source, this.#config).some(isSocket);
    }

    get #wantsSei() {
        return this.#config.sei ?? (this.emitter.has(Events.SEI_ARRIVED) || this.emitter.has(Events.SEI_PRESENTED));
    }

    get #wantsFull() {
        return wantsFull(this.#config, this.#wantsSei);
    }

    /** @param {boolean} full */
    #compile(full) {
        return compileWasm(this.#config.wasmUrl, full);
    }

    /** @param {any} message from the host */
    #receive(message) {
        if (message.type === Message.Hello) return;
        if (message.type === Message.Crash) {
            this.#fail(otherFailure(`the worker failed: ${message.text}`));
            return;
        }
        if (message.id !== this.#generation || !this.#loaded) return;
        switch (message.type) {
            case Message.Attach:
                this.#attachment = message;
                this.#attach();
                break;
            case Message.Seek:
                if (this.element) this.element.currentTime = message.time;
                break;
            case Message.Rate:
                if (this.element) this.element.playbackRate = message.rate;
                break;
            case Message.Upgrade:
                this.#sendWasm(true);
                break;
            case Message.Cue:
                this.#addCue(message);
                break;
            case Message.Diagnostics:
                this.#asked[message.token]?.resolve(import('./diagnostics.js').then(({ dump }) => dump(message)));
                break;
            default:
                this.#tellInTurn(message);
        }
    }

    /** What listeners are told waits for what comes before it and has no words yet. @param {any} message */
    #tellInTurn(message) {
        if (!this.#telling && !message.cause) return this.#tell(message);
        const telling = Promise.resolve(this.#telling).then(async () => {
            if (message.cause) message.args = await wordsFor(message.name, message.cause);
            if (this.#telling === telling) this.#telling = undefined;
            if (message.id === this.#generation && this.#loaded) this.#tell(message);
        });
        this.#telling = telling;
        return undefined;
    }

    /** @param {any} message */
    #tell(message) {
        switch (message.type) {
            case Message.Event:
                this.#emit(message.name, message.args);
                break;
            case Message.Media:
                this.#mediaInfo = mediaInfo(message);
                this.#loading?.resolve(this.mediaInfo);
                this.#loading = undefined;
                this.#emit(Events.MEDIA_INFO, [this.#mediaInfo]);
                break;
            case Message.Statistics:
                this.#statisticsInfo = { ...statistics(message), mode: this.#link?.mode };
                this.#emit(Events.STATISTICS_INFO, [this.#statisticsInfo]);
                break;
            case Message.Connected:
                this.#tellStates('connected');
                if (this.#reconnects) this.#emit(Events.RECOVERED_EARLY_EOF, []);
                this.#reconnects = false;
        }
    }

    /** @param {string} name @param {any[]} args */
    #emit(name, args) {
        // What is left plays to its end, but there is nothing to catch up with any more.
        if ((name === Events.ERROR || name === Events.LOADING_COMPLETE) && this.element) this.element.playbackRate = 1;
        if (name === Events.ERROR || name === Events.WARNING) this.#explain(name, args);
        this.#tellStates(name, args);
        this.emitter.emit(name, ...args);
        if (name === Events.WARNING && this.#config.reportRecovered) this.emitter.emit(Events.ERROR, ...args);
    }

    /** Errors and warnings have one form, are logged, and end what waits for the load. @param {string} name @param {any[]} args */
    #explain(name, args) {
        const [type, detail, info] = args;
        const fatal = name === Events.ERROR;
        args[2] = { ...info, fatal, recovered: !fatal, context: { step: stepOf(type, info.code), ...info.context } };
        if (info.context?.step === 'reconnect') {
            this.#reconnects = true;
            args[2].context.count = this.#config.maxReconnects;
        }
        log(fatal ? 'error' : 'warn', `${type}: ${detail}: ${info.msg}`);
        if (fatal) this.#endLoading(Object.assign(new Error(info.msg), { type, detail, ...args[2] }));
    }

    /** Puts what the host made into the element, once both are there. */
    #attach() {
        const { element } = this;
        const attachment = this.#attachment;
        if (!element || !attachment) return;
        this.#attachment = undefined;
        if (attachment.managed) element.disableRemotePlayback = true;
        if (attachment.handle) element.srcObject = attachment.handle;
        else element.src = attachment.url;
        this.#isAttached = true;
        this.#stopReports ??= watchPlayhead(/** @type {HTMLVideoElement} */ (element), (report) => this.#ask(Message.Playhead, { report }));
        const waiting = this.#waitingToPlay.splice(0);
        if (this.#wantsToPlay) {
            const played = this.#playElement();
            for (const { resolve } of waiting) resolve(played);
        }
    }

    /** Plays, without sound if need be and allowed. @returns {Promise<void>} */
    #playElement() {
        const element = /** @type {HTMLMediaElement} */ (this.element);
        const played = element.play().catch((error) => {
            if (error.name !== 'NotAllowedError' || !this.#config.autoplayMuted || element.muted || this.element !== element) throw error;
            element.muted = true;
            this.emitter.emit(Events.AUTOPLAY_MUTED);
            return element.play();
        });
        return handled(played);
    }

    /** @param {boolean} plays */
    #setWish(plays) {
        if (this.#isAttached) this.#wantsToPlay = plays;
    }

    #reportElementError() {
        const error = this.element?.error;
        if (!error || !this.#isAttached) return;
        this.#ask(Message.ElementError, { code: error.code, text: error.message });
    }

    /** Somebody wants to be where nothing is buffered: of a file the host can get that. */
    #reportSeek() {
        const { buffered, currentTime: time } = this;
        for (let range = 0; range < buffered.length; range += 1) {
            if (buffered.start(range) <= time && time < buffered.end(range)) return;
        }
        if (this.#isAttached) this.#ask(Message.Seek, { time });
    }

    /** @param {any} cue */
    #addCue(cue) {
        const { element, emitter } = this;
        if (!element || !emitter.has(cue.name)) return;
        this.#cues ??= import('./cues.js').then(({ Cues }) => new Cues(element, emitter)).catch(() => undefined);
        this.#cues.then((cues) => cues?.add(cue));
    }

    #watchStates() {
        if (this.#states) return;
        this.#states = import('./states.js').then(({ States }) => new States(this.emitter)).catch(() => undefined);
        if (this.element) this.#watch(this.element, this.listening.signal);
    }

    /** @param {HTMLMediaElement} element @param {AbortSignal} signal */
    #watch(element, signal) {
        this.#states?.then((states) => states?.watch(element, signal));
    }

    /** @param {string} event @param {any[]} [args] */
    #tellStates(event, args) {
        this.#states?.then((states) => states?.told(event, args));
    }

    /** Tells the host of this load. @param {number} type one of {@link Message} @param {object} [message] */
    #ask(type, message) {
        this.#link?.post({ type, id: this.#generation, ...message });
    }

    /** A failure on this side of the link. @param {import('./errors.js').Failure} failure @param {number} [id] of which load */
    #fail({ type, detail, ...info }, id = this.#generation) {
        if (id !== this.#generation || !this.#loaded) return;
        this.#link?.post({ type: Message.Unload });
        this.#emit(Events.ERROR, [type, detail, info]);
    }

    /** Ends a load: host, element and those who wait. */
    #release() {
        if (this.#loaded) {
            this.#link?.post({ type: Message.Unload });
            FlvPlayer.#open -= 1;
        }
        this.#loaded = this.#reconnects = false;
        this.#generation += 1;
        this.#attachment = undefined;
        this.#stopReports?.();
        this.#stopReports = undefined;
        this.#cues?.then((cues) => cues?.stop());
        this.#cues = undefined;
        if (this.#isAttached && this.element) empty(this.element);
        this.#isAttached = false;
        this.#mediaInfo = {};
        this.#statisticsInfo = {};
        for (const { reject } of [...this.#waitingToPlay.splice(0), ...this.#asked.splice(0)]) reject(aborted());
    }

    /** @param {Error} error */
    #endLoading(error) {
        this.#loading?.reject(error);
        this.#loading = undefined;
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

/** What may be asked for. Transport streams are told apart from what is nonsense: they get an error event. @param {string} type */
export function isOurs(type) {
    return /^(flv|mse|mpegts|m2ts)$/i.test(type);
}
