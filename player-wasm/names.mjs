const LETTERS = [...'etsirnocludfhpgmvwkyjqxzSTICAERNOLDPMUHFGBVWKY'];

/**
 * Names of properties and methods that neither pages nor the engine see: `bundle.mjs` makes them short, the same in every file of
 * the package. Whatever else the code touches, of a browser, of a page or of the engine, must not be called so.
 */
const OWN = (
    'element engine drive post output emitter failed connection sink parts recorder buffers mediaSource note here isClosed sourceEnd place ' +
    'cause isOpen listening described position moved kept isSettled receive openOutput reopen arrived attachment setDuration follow leave ' +
    'addTrack checked evicted chunks codecs entry feed finalUrl isRedirected managed openSource openSocket makeOutput others report restart ' +
    'seekHandler settings slow told token urls whereabouts'
).split(' ');

/** Letters that are not the engine's `a` and `b`. @type {Record<string, string>} */
export const shortNames = Object.fromEntries(OWN.map((name, at) => [name, LETTERS[at] ?? `$${LETTERS[at - LETTERS.length]}`]));
