/** The log of all players of a page. @module */
import { callSafely } from './events.js';

const LEVELS = /** @type {const} */ (['debug', 'verbose', 'info', 'warn', 'error']);

/** @typedef {typeof LEVELS[number]} Level */

/** @type {Record<string, any>} by the names of mpegts.js; `enableCallback` follows the listeners */
const config = { globalTag: 'pushpull', forceGlobalTag: false };
for (const level of LEVELS) config[switchName(level)] = level === 'warn' || level === 'error';

/** @type {Set<Function>} told each line */
const listeners = new Set();
/** @type {Set<Function>} told each change of the settings */
const watchers = new Set();

/** Writes a line, if its level is on. @param {Level} level @param {string} text */
export function log(level, text) {
    if (!config[switchName(level)]) return;
    const line = `[${config.globalTag}] ${text}`;
    // Browsers hide `debug` unless asked; `verbose` is no method of a console.
    console[level === 'verbose' ? 'debug' : level](line);
    for (const listener of [...listeners]) callSafely(listener, [level, line]);
}

/** Switches of the log, by the names of mpegts.js. Warnings and errors are on, the rest is off. */
export const LoggingControl = /** @type {import('./index.d.ts').LoggingControl} */ ({
    get enableAll() {
        return LEVELS.every((level) => config[switchName(level)]);
    },
    set enableAll(on) {
        apply({ enableAll: Boolean(on) });
    },
    getConfig: () => ({ ...config, enableCallback: listeners.size > 0 }),
    applyConfig: apply,
    addLogListener: (listener) => void listeners.add(listener),
    removeLogListener: (listener) => void listeners.delete(listener),
    registerListener: (listener) => void watchers.add(listener),
    removeListener: (listener) => void watchers.delete(listener),
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
        const value = given[key] ?? (key.startsWith('enable') ? given.enableAll : undefined);
        if (value !== undefined) config[key] = value;
    }
    for (const watcher of [...watchers]) callSafely(watcher, [LoggingControl.getConfig()]);
}

/** @param {Level} level */
function switchName(level) {
    return `enable${level[0].toUpperCase()}${level.slice(1)}`;
}
