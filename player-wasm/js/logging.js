/** The log of all players of a page. @module */
import { callSafely } from './events.js';

const LEVELS = /** @type {const} */ (['debug', 'verbose', 'info', 'warn', 'error']);

/** @typedef {typeof LEVELS[number]} Level */

/** @type {Record<Level, boolean>} */
const enabled = { debug: false, verbose: false, info: false, warn: true, error: true };
/** @type {Set<(level: string, text: string) => void>} */
const listeners = new Set();
let prefix = 'pushpull';

/** Writes a line, if its level is on. @param {Level} level @param {string} text */
export function log(level, text) {
    if (!enabled[level]) return;
    const line = `[${prefix}] ${text}`;
    (console[level === 'verbose' ? 'debug' : level] ?? console.log)(line);
    for (const listener of [...listeners]) callSafely(listener, [level, line]);
}

/** Switches of the log, by the names of mpegts.js. Warnings and errors are on, the rest is off. */
export const LoggingControl = {
    get enableAll() {
        return LEVELS.every((level) => enabled[level]);
    },
    set enableAll(on) {
        for (const level of LEVELS) enabled[level] = Boolean(on);
    },
    get globalTag() {
        return prefix;
    },
    set globalTag(tag) {
        prefix = String(tag);
    },
    forceGlobalTag: false,
    getConfig() {
        const levels = LEVELS.map((level) => [switchName(level), enabled[level]]);
        return { globalTag: prefix, forceGlobalTag: this.forceGlobalTag, ...Object.fromEntries(levels) };
    },
    /** @param {Record<string, unknown>} config */
    applyConfig(config) {
        for (const level of LEVELS) {
            const on = config[switchName(level)];
            if (on !== undefined) enabled[level] = Boolean(on);
        }
        if (config.enableAll !== undefined) this.enableAll = Boolean(config.enableAll);
        if (config.globalTag !== undefined) prefix = String(config.globalTag);
    },
    /** @param {(level: string, text: string) => void} listener */
    addLogListener(listener) {
        listeners.add(listener);
    },
    /** @param {(level: string, text: string) => void} listener */
    removeLogListener(listener) {
        listeners.delete(listener);
    },
};

for (const level of LEVELS) {
    Object.defineProperty(LoggingControl, switchName(level), {
        enumerable: true,
        get: () => enabled[level],
        set: (on) => {
            enabled[level] = Boolean(on);
        },
    });
}

/** @param {Level} level */
function switchName(level) {
    return `enable${level[0].toUpperCase()}${level.slice(1)}`;
}
