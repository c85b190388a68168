const LETTERS = [...'etsirnocludfhpgmvwkyjqxzSTICAERNOLDPMUHFGBVWKY'];

/**
 * Names of properties and methods that neither pages nor the engine see: `bundle.mjs` makes them short, the same in every file of
 * the package. Whatever else the code touches, of a browser, of a page or of the engine, must not be called so.
 */
const OWN = (
    'addTrack attachment cause checked chunks codecs element emitter entry evicted failed feed finalUrl follow here ' +
    'isOpen isRedirected isSettled isWhole leave listening managed note openSource others place post receive report restart ' +
    'seekHandler setDuration settings sink slow told token trial urls whereabouts'
).split(' ');

/** Letters that are not the engine's `a` and `b`. @type {Record<string, string>} */
export const shortNames = Object.fromEntries(OWN.map((name, at) => [name, LETTERS[at]]));
