/** The log of all players of a page. @module */
import { Emitter } from './events.js';

/** @type {Record<string, any>} by the names of mpegts.js; `enableCallback` follows the listeners */
const config = {
    globalTag: 'pushpull',
    forceGlobalTag: false,
    enableDebug: false,
    enableVerbose: false,
    enableInfo: false,
    enableWarn: true,
    enableError: true,
};

const switches = Object.keys(config).filter((key) => key.startsWith('enable'));

/** Tells each line, and each change of the settings. */
const emitter = new Emitter();
const LINE = 'line';
const CHANGE = 'change';

/** Writes a line, if its level is on. @param {'info' | 'warn' | 'error'} level @param {string} text */
export function log(level, text) {
    if (!config[`enable${level[0].toUpperCase()}${level.slice(1)}`]) return;
    const line = `[${config.globalTag}] ${text}`;
    console[level](line);
    emitter.emit(LINE, level, line);
}

/** Switches of the log, by the names of mpegts.js. Warnings and errors are on, the rest is off. */
export const LoggingControl = /** @type {import('./index.d.ts').LoggingControl} */ ({
    get enableAll() {
        return switches.every((key) => config[key]);
    },
    set enableAll(on) {
        apply({ enableAll: Boolean(on) });
    },
    getConfig: () => ({ ...config, enableCallback: emitter.has(LINE) }),
    applyConfig: apply,
    addLogListener: (listener) => emitter.on(LINE, listener),
    removeLogListener: (listener) => emitter.off(LINE, listener),
    registerListener: (listener) => emitter.on(CHANGE, listener),
    removeListener: (listener) => emitter.off(CHANGE, listener),
});

for (const key in config) {
    Object.defineProperty(LoggingControl, key, {
        enumerable: true,
        get: () => config[key],
        set: (value) => apply({ [key]: value }),
    });
}

/** @param {Record<string, any>} given */
function apply(given) {
    for (const key in config) {
        const value = given[key] ?? (switches.includes(key) ? given.enableAll : undefined);
        if (value !== undefined) config[key] = value;
    }
    emitter.emit(CHANGE, LoggingControl.getConfig());
}
