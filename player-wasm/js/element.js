/**
 * `<flv-live src autoplay muted latency controls pacing>`: a live FLV stream as an element. Importing this defines it,
 * where there is a DOM; elsewhere (rendering on a server) nothing happens.
 * @module
 */
import { Events } from './events.js';
import { handled } from './base.js';
import { FlvPlayer } from './player.js';

/** A server knows no elements. */
const Base = /** @type {typeof HTMLElement} */ (globalThis.HTMLElement ?? class {});

/** Attributes that the element inside has too. */
const PASSED = ['muted', 'controls'];

/** Attributes that begin a new load when they change. */
const LOADING = ['src', 'latency', 'pacing'];

export class FlvLiveElement extends Base {
    static observedAttributes = [...LOADING, ...PASSED, 'autoplay'];

    #config = /** @type {import('./index.d.ts').Config} */ ({});
    /** @type {FlvPlayer | undefined} */
    #player;
    #video;
    /** Where it says what is the matter: at once, or in its turn. They are there before the words, to be read out. */
    #alert;
    #status;
    /** Nothing more will come: playing means to begin anew. */
    #over = false;
    #isLoading = false;

    constructor() {
        super();
        const root = this.attachShadow({ mode: 'open' });
        root.innerHTML = TEMPLATE;
        root.adoptedStyleSheets = [styles()];
        [this.#video, this.#alert, this.#status] = /** @type {any} */ (root.children);
        this.#video.addEventListener('play', () => this.#over && this.load());
        this.#video.addEventListener('playing', () => this.#say());
        this.#video.addEventListener('volumechange', () => this.toggleAttribute('muted', this.#video.muted));
    }

    /** Further settings; in force from the next load on. */
    get config() {
        return this.#config;
    }

    set config(config) {
        this.#config = config ?? {};
    }

    get player() {
        return this.#player;
    }

    get video() {
        return this.#video;
    }

    get src() {
        return this.getAttribute('src') ?? '';
    }

    set src(url) {
        this.setAttribute('src', url);
    }

    get autoplay() {
        return this.hasAttribute('autoplay');
    }

    set autoplay(on) {
        this.toggleAttribute('autoplay', Boolean(on));
    }

    get muted() {
        return this.#video.muted;
    }

    set muted(on) {
        this.toggleAttribute('muted', Boolean(on));
    }

    get controls() {
        return this.hasAttribute('controls');
    }

    set controls(on) {
        this.toggleAttribute('controls', Boolean(on));
    }

    get latency() {
        return parseFloat(this.getAttribute('latency') ?? '');
    }

    set latency(seconds) {
        if (Number.isFinite(seconds)) this.setAttribute('latency', String(seconds));
        else this.removeAttribute('latency');
    }

    get pacing() {
        const pacing = this.getAttribute('pacing');
        return pacing === 'lowest' || pacing === 'smooth' ? pacing : 'auto';
    }

    set pacing(pacing) {
        this.setAttribute('pacing', pacing);
    }

    connectedCallback() {
        // What was set before the element was defined hides the properties of the class.
        const self = /** @type {any} */ (this);
        for (const name of [...FlvLiveElement.observedAttributes, 'config']) {
            if (!Object.hasOwn(this, name)) continue;
            const value = self[name];
            delete self[name];
            self[name] = value;
        }
        if (!this.#player) this.#loadSoon();
    }

    disconnectedCallback() {
        // Elements that are moved come back at once.
        queueMicrotask(() => this.isConnected || this.#end());
    }

    /** @param {string} name @param {string | null} before @param {string | null} value */
    attributeChangedCallback(name, before, value) {
        if (PASSED.includes(name)) /** @type {any} */ (this.#video)[name] = value !== null;
        else if (name === 'autoplay') value !== null && this.#player && handled(this.#player.play());
        else if (before !== value && this.isConnected) this.#loadSoon();
    }

    /** Starts anew. @returns {Promise<void>} */
    async load() {
        const wasPlaying = this.#over && !this.#video.paused;
        this.#end();
        if (!this.src) return;
        const { latency, pacing } = this;
        const player = new FlvPlayer(
            { type: 'flv', isLive: true, url: this.src },
            { autoplayMuted: true, pacing, ...(latency >= 0 && { targetLatency: latency }), ...this.config },
        );
        this.#player = player;
        for (const event of Object.values(Events)) {
            // Only what somebody may want costs something, and nobody can tell who listens to an element.
            if (event !== Events.SEI_ARRIVED && event !== Events.SEI_PRESENTED) player.on(event, (...detail) => this.#pass(event, detail));
            else if (this.config.sei) player.on(event, (...detail) => this.#pass(event, detail));
        }
        player.attachMediaElement(this.#video);
        const loaded = handled(player.load());
        if (this.autoplay || wasPlaying) handled(player.play());
        await loaded;
    }

    /** @returns {Promise<void>} */
    play() {
        if (!this.#player || this.#over) handled(this.load());
        return this.#player ? this.#player.play() : Promise.reject(new Error('flv-live has no src'));
    }

    pause() {
        this.#player?.pause();
    }

    /** Attributes are often set one after the other: one load for all. */
    #loadSoon() {
        if (this.#isLoading) return;
        this.#isLoading = true;
        queueMicrotask(() => {
            this.#isLoading = false;
            if (this.isConnected) handled(this.load());
        });
    }

    #end() {
        this.#over = false;
        this.#say();
        this.#player?.destroy();
        this.#player = undefined;
    }

    /** @param {string} event @param {any[]} detail */
    #pass(event, detail) {
        const fatal = event === Events.ERROR && detail[2].fatal;
        if (fatal || event === Events.LOADING_COMPLETE) this.#over = true;
        if (fatal) this.#say(detail[2].msg);
        else if (event === Events.WARNING && detail[2].context.step === 'reconnect') this.#say('', detail[2].msg);
        this.dispatchEvent(new CustomEvent(event, { detail }));
        if (event === Events.AUTOPLAY_MUTED) this.dispatchEvent(new CustomEvent('autoplaymuted'));
    }

    /** @param {string} [alert] @param {string} [status] */
    #say(alert = '', status = '') {
        this.#alert.textContent = alert;
        this.#status.textContent = status;
    }
}

const TEMPLATE = '<video part="video" playsinline></video><p part="alert" role="alert"></p><p part="status" role="status"></p>';

const STYLES = `
:host { display: inline-block; position: relative; background: #000; }
:host([hidden]) { display: none; }
video { display: block; width: 100%; height: 100%; object-fit: inherit; }
p { position: absolute; inset: 0 0 auto; margin: 0; padding: .5em .75em; color: #fff; background: #000c; font: 1em/1.4 system-ui, sans-serif; overflow-wrap: anywhere; }
p:empty { padding: 0; }`;

/** @type {CSSStyleSheet | undefined} */
let sheet;

/** One sheet for all; a page's policy against styles in its text does not concern it. */
function styles() {
    if (!sheet) {
        sheet = new CSSStyleSheet();
        sheet.replaceSync(STYLES);
    }
    return sheet;
}

if (globalThis.customElements && !customElements.get('flv-live')) customElements.define('flv-live', FlvLiveElement);
