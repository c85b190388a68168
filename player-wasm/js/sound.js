/** Has the browser get its sound ready. @module */

/** @type {HTMLAudioElement | undefined} */
let sound;

/**
 * Chromium starts a process for sound when a page first needs one, which takes long, and shows no picture
 * before. With something else to be got ready, that goes on while the stream is on its way. It has a `data:`
 * address, as reading a blob takes as long as is won.
 */
export function wakeSound() {
    sound ??= new Audio(SILENCE);
}

/** A WAVE file of one sample; it may not end with what an address loses there. */
const SILENCE = 'data:audio/wav,RIFF%\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0@\x1f\0\0@\x1f\0\0\x01\0\x08\0data\x01\0\0\0~';
