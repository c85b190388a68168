/** Kinds of messages between a player and its host. The build writes the numbers where the names stand. @module */

export const Message = {
    /** Of a worker: it has begun. */
    Hello: 0,
    /** Of the link: the worker failed. */
    Crash: 1,
    /** Of the page. */
    Load: 2,
    Unload: 3,
    /** The compiled engine. */
    Wasm: 4,
    /** Where the element is. */
    Playhead: 5,
    /** Between the two ends of an output. */
    Output: 6,
    ElementError: 7,
    /** To the host: the playhead was moved; to the page: it is to be. */
    Seek: 8,
    /** Somebody wants such messages. */
    Sei: 9,
    /** What a bug report needs. */
    Diagnostics: 10,
    /** What is to be in the element. */
    Attach: 11,
    Rate: 12,
    /** For listeners. */
    Event: 13,
    /** What the stream is. */
    Media: 14,
    Statistics: 15,
    Connected: 16,
    /** The larger build is needed. */
    Upgrade: 17,
    /** To be told with its picture. */
    Cue: 18,
};
