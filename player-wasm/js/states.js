/** What happens, by the numbers of WeChat's `live-player`. Loaded when somebody listens. @module */
import { ErrorDetails, ErrorTypes } from './errors.js';
import { Events } from './events.js';

/** @type {Record<number, string>} */
const TEXTS = {
    2001: 'connected',
    2002: 'receiving',
    2003: 'first picture received',
    2004: 'playing',
    2006: 'ended',
    2007: 'loading',
    2008: 'decoder started',
    2009: 'size changed',
    2101: 'decoding failed',
    2103: 'reconnecting',
    2104: 'nothing comes',
    2105: 'stutter',
    3002: 'cannot connect',
    3003: 'refused',
    3005: 'connection lost',
};

/** @type {Record<string, number>} by the error's detail */
const NETWORK = {
    [ErrorDetails.NETWORK_EXCEPTION]: 3002,
    [ErrorDetails.NETWORK_TIMEOUT]: 3002,
    [ErrorDetails.NETWORK_STATUS_CODE_INVALID]: 3003,
    [ErrorDetails.NETWORK_SILENCE]: 2104,
};

export class States {
    #emitter;
    /** Whether it has played: a wait after that is a stutter. */
    #played = false;

    /** @param {import('./events.js').Emitter} emitter */
    constructor(emitter) {
        this.#emitter = emitter;
    }

    /** What the player was told, or tells itself. @param {string} event @param {any[]} args */
    told(event, [type, detail, info] = /** @type {any[]} */ ([])) {
        if (event === 'load') this.#tell(2007);
        else if (event === 'connected') this.#tell(2001, 2002);
        else if (event === Events.MEDIA_INFO) this.#tell(2003);
        else if (event === Events.LOADING_COMPLETE) this.#tell(2006);
        else if (event === Events.WARNING && info.context?.step === 'reconnect') this.#emit(2103, info.msg);
        else if (event === Events.WARNING || event === Events.ERROR) this.#failed(type, detail, info);
    }

    /** @param {HTMLMediaElement} element @param {AbortSignal} signal */
    watch(element, signal) {
        const on = (event, ...codes) => element.addEventListener(event, () => this.#tell(...codes), { signal });
        on('loadeddata', 2008);
        on('resize', 2009);
        element.addEventListener('playing', () => (this.#played = true) && this.#tell(2004), { signal });
        element.addEventListener('waiting', () => this.#tell(...(this.#played ? [2105, 2007] : [2007])), { signal });
    }

    /** @param {string} type @param {string} detail @param {{msg: string, fatal: boolean, context?: any}} info */
    #failed(type, detail, { msg, fatal, context }) {
        if (type === ErrorTypes.NETWORK_ERROR) {
            this.#emit(NETWORK[detail] ?? 3005, msg);
            // Given up, as WeChat says it.
            if (fatal) this.#emit(-2301, msg);
        } else if (detail === ErrorDetails.MEDIA_MSE_ERROR || detail === ErrorDetails.MEDIA_CODEC_UNSUPPORTED) {
            this.#emit(context?.track === 'audio' ? 2102 : 2101, msg);
        }
    }

    /** @param {number} code @param {string} message */
    #emit(code, message) {
        this.#emitter.emit(Events.STATE_CHANGE, code, message);
    }

    /** @param {...number} codes */
    #tell(...codes) {
        for (const code of codes) this.#emit(code, TEXTS[code]);
    }
}
