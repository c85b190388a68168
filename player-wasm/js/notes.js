/** Settings of flv.js and mpegts.js that change nothing here, and why. Loaded when one is given. @module */

/** @type {Record<string, string>} */
export const notes = {
    enableStashBuffer: 'nothing is held back before it is played; see pacing and targetLatency',
    stashInitialSize: 'nothing is held back before it is played; see pacing and targetLatency',
    deferLoadAfterSourceOpen: 'loading starts at once, also in a tab that was opened in the background',
    liveBufferLatencyChasingOnPaused: 'a paused live player drops what it will not show',
    accurateSeek: 'every seek goes to the exact picture',
};
