/** The compiled WebAssembly, once for all players of a page. @module */

/** @type {Map<string, Promise<WebAssembly.Module>>} */
const modules = new Map();

/**
 * Fetches and compiles. Done by the page, before the stream is asked for: a browser opens six
 * connections to a host, and streams keep theirs.
 * @param {string | undefined} url default: beside this module
 * @param {boolean} full the build that knows every codec; beside the other, in `full/`
 * @returns {Promise<WebAssembly.Module>}
 */
export function compileWasm(url, full) {
    let address = url ? new URL(url, document.baseURI) : new URL('./pushpull_player_bg.wasm', import.meta.url);
    if (full) address = url ? new URL('full/pushpull_player_bg.wasm', address) : new URL('./full/pushpull_player_bg.wasm', import.meta.url);
    const known = modules.get(address.href);
    if (known) return known;
    const compiling = compile(address);
    modules.set(address.href, compiling);
    // Another load may have more luck.
    compiling.catch(() => modules.delete(address.href));
    return compiling;
}

/** @param {URL} address */
async function compile(address) {
    const response = await fetch(address);
    if (!response.ok) throw new Error(`${address.href}: HTTP status ${response.status}`);
    // A server that does not know the type application/wasm rules out compiling while loading.
    if (response.headers.get('content-type')?.startsWith('application/wasm')) {
        return WebAssembly.compileStreaming(response);
    }
    return WebAssembly.compile(await response.arrayBuffer());
}
