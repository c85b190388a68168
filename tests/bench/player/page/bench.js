// The page's half of the benchmark: makes players, watches their element, tells what it saw. Driven by `window.bench`.

/** @typedef {{name: string, library: string, base?: string, config: object, hooks?: string[]}} Variant */

const SCRIPTS = { flv: ['/peers/flv.js', 'flvjs'], mpegts: ['/peers/mpegts.js', 'mpegts'], xgplayer: ['/peers/xgplayer-flv.js', 'xgplayerFlv'] };

/** Squares in the picture's upper left corner that tell its number, least significant bit first. */
const CODE = { bits: 12, size: 24 };

let variant, library, player, video;
let startedAt = 0;
let clockOffset = 0;
let waiting = [];
let errors = [];
/** Pairs: when a picture was presented (unix ms), and its `mediaTime` (s). */
let frames = [];
/** Pairs: index of a picture in `frames`, and its number. */
let codes = [];
/** Every how many pictures the number is read: it costs a canvas. */
const CODES_EVERY = 5;
/** The wish to be told of the next picture. */
let request = 0;
let canvas;

/** Loads a variant's code, and what goes in before it. @param {Variant} wanted */
async function load(wanted) {
    variant = wanted;
    for (const hook of wanted.hooks ?? []) await addScript(hook);
    if (wanted.hooks?.length) wrapWorkers(wanted.hooks);
    await loadLibrary();
    clockOffset = await compareClocks();
}

async function loadLibrary() {
    if (variant.library === 'pkg') {
        library = await import(`${variant.base}index.js`);
        library = library.default ?? library;
    } else if (variant.library in SCRIPTS) {
        const [script, name] = SCRIPTS[variant.library];
        await addScript(script);
        library = globalThis[name];
        if (variant.library === 'xgplayer') library = { createPlayer: createXgplayer };
        else library.LoggingControl.enableAll = false;
    }
}

/** The core of xgplayer-flv, with the names that the others have. Live also for a file: else it wants an index of keyframes. */
function createXgplayer({ url }, config) {
    const core = new globalThis.xgplayerFlv.Flv({ url, isLive: true, media: video, ...config });
    core.on('core.loadcomplete', () => core.emit('loading_complete'));
    core.attachMediaElement = () => {};
    const { load } = core;
    let loads;
    core.load = () => (loads = load.call(core));
    // It gives the element its source later, which stops what was played before.
    core.play = () => loads.then(() => video?.play());
    Object.defineProperty(core, 'statisticsInfo', { get: () => core.getStats() });
    return core;
}

/**
 * Has our WebAssembly compiled, which is kept for all players of a page: by a load of something that is no
 * stream. It is said to have no sound: what the browser does once for sound counts for all players.
 */
async function warm() {
    if (variant.library !== 'pkg') return;
    const first = library.createPlayer({ type: 'flv', isLive: true, hasAudio: false, url: new URL('/blank', location.href).href }, { ...variant.config, maxReconnects: 0 });
    const refused = new Promise((resolve) => first.on('error', resolve));
    library.LoggingControl.enableAll = false;
    first.attachMediaElement(document.createElement('video'));
    first.load();
    await Promise.race([refused, sleep(2_000)]);
    first.destroy();
}

function addScript(src) {
    return new Promise((resolve, reject) => {
        const script = document.createElement('script');
        script.src = src;
        script.onload = resolve;
        script.onerror = () => reject(new Error(`${src} does not load`));
        document.head.append(script);
    });
}

/** Workers of the player get the same scripts before their own. */
function wrapWorkers(hooks) {
    const Real = globalThis.Worker;
    globalThis.Worker = class extends Real {
        constructor(url, options) {
            const query = new URLSearchParams(hooks.map((hook) => ['hook', hook]));
            query.set('url', String(url));
            if (options?.type === 'module') query.set('module', '1');
            super(`/wrap?${query}`, options);
        }
    };
}

/** Milliseconds to add to this page's clock to get the server's. */
async function compareClocks() {
    let best = Infinity;
    let offset = 0;
    for (let i = 0; i < 5; i += 1) {
        const asked = now();
        const told = Number(await (await fetch('/clock')).text());
        const took = now() - asked;
        if (took < best) [best, offset] = [took, told - (asked + took / 2)];
    }
    return offset;
}

function now() {
    return performance.timeOrigin + performance.now();
}

/** Makes a player and waits for its first picture; ms. @param {string} url @param {boolean} live */
function start(url, live = true) {
    video = document.createElement('video');
    video.muted = true;
    video.playsInline = true;
    video.width = 640;
    document.body.append(video);
    [waiting, errors, frames, codes] = [[], [], [], []];
    startedAt = performance.now();
    video.addEventListener('waiting', () => frames.length && waiting.push(performance.now() - startedAt));
    const shown = new Promise((resolve, reject) => {
        request = video.requestVideoFrameCallback((at, metadata) => {
            const first = performance.now() - startedAt;
            note(at, metadata);
            resolve(first);
        });
        setTimeout(() => reject(new Error(`no picture within 15 s: ${errors}`)), 15_000);
    });
    if (variant.library === 'native') {
        video.src = url;
        video.play();
        return shown;
    }
    player = library.createPlayer({ type: 'flv', isLive: live, url: new URL(url, location.href).href }, variant.config);
    player.on('error', (...args) => errors.push(JSON.stringify(args)));
    player.attachMediaElement(video);
    player.load();
    player.play()?.catch?.(() => {});
    return shown;
}

/** A picture was presented. */
function note(at, { mediaTime }) {
    const index = frames.push(performance.timeOrigin + at + clockOffset, mediaTime) / 2 - 1;
    // Not the first: a canvas takes a moment to be made.
    if (index % CODES_EVERY === 1) codes.push(index, readCode());
    watch(true);
}

/** Whether pictures are looked at from now on. Being told of each costs as much as a player's own work. */
function watch(on) {
    if (!video) return;
    if (on) request = video.requestVideoFrameCallback(note);
    else video.cancelVideoFrameCallback(request);
}

function readCode() {
    const { bits, size } = CODE;
    canvas ??= Object.assign(document.createElement('canvas'), { width: bits * 4, height: 4 });
    const context = canvas.getContext('2d', { willReadFrequently: true });
    context.drawImage(video, size, size, bits * size, size, 0, 0, canvas.width, canvas.height);
    const { data } = context.getImageData(0, 2, canvas.width, 1);
    let number = 0;
    for (let bit = 0; bit < bits; bit += 1) if (data[(bit * 4 + 2) * 4] > 127) number |= 1 << bit;
    return number;
}

/** Ends the player and takes its element away. */
function end() {
    const old = video;
    video = undefined;
    player?.destroy();
    player = undefined;
    old?.remove();
}

/** What was counted in the page and its workers, and what the element says. */
async function counts() {
    const channel = new BroadcastChannel('bench-counts');
    const sum = { appends: 0, appended: 0, wasm: 0 };
    channel.onmessage = ({ data }) => {
        for (const key of Object.keys(sum)) sum[key] += data[key] ?? 0;
    };
    channel.postMessage('ask');
    await sleep(150);
    channel.close();
    const quality = video?.getVideoPlaybackQuality();
    return {
        ...sum,
        at: performance.now() - startedAt,
        frames: quality?.totalVideoFrames ?? 0,
        dropped: quality?.droppedVideoFrames ?? 0,
        rate: video?.playbackRate ?? 0,
        waiting: waiting.length,
    };
}

function collect() {
    return {
        frames,
        codes,
        waiting,
        errors,
        startedAt: performance.timeOrigin + startedAt + clockOffset,
        statistics: player?.statisticsInfo ?? null,
    };
}

/** Reads a file as fast as it comes, with nothing played; ms. @param {string} url */
async function read(url) {
    const address = new URL(url, location.href).href;
    const begun = performance.now();
    if (variant.library === 'fetch') {
        const reader = (await fetch(address)).body.getReader();
        let bytes = 0;
        for (;;) {
            const { done, value } = await reader.read();
            if (done) return { took: performance.now() - begun, bytes };
            bytes += value.length;
        }
    }
    video = document.createElement('video');
    pretend(video);
    player = library.createPlayer({ type: 'flv', isLive: false, url: address }, { lazyLoad: false, ...variant.config });
    const complete = new Promise((resolve, reject) => {
        player.on('loading_complete', resolve);
        player.on('error', (...args) => reject(new Error(JSON.stringify(args))));
        setTimeout(() => reject(new Error('not read within 60 s')), 60_000);
    });
    player.attachMediaElement(video);
    player.load();
    await complete;
    return { took: performance.now() - begun };
}

/** An element that plays nothing, far ahead of everything: whoever reads ahead to a limit never reaches it. */
function pretend(element) {
    const fixed = {
        src: '',
        srcObject: null,
        currentTime: variant.library === 'pkg' ? 1e7 : 0,
        readyState: 4,
        paused: false,
        buffered: { length: 0, start: () => NaN, end: () => NaN },
    };
    for (const [name, value] of Object.entries(fixed)) {
        Object.defineProperty(element, name, { get: () => value, set: () => {} });
    }
    element.play = () => Promise.resolve();
    element.load = () => {};
}

/** Bytes of JavaScript, page and workers together, after a collection. */
async function heap() {
    const { bytes, breakdown } = await performance.measureUserAgentSpecificMemory();
    return { bytes, breakdown: breakdown.filter((part) => part.bytes > 0).map(({ bytes, types }) => [types.join('+'), bytes]) };
}

/** From the navigation to the first picture, ms: the variant and the address come with the page's own. */
async function cold() {
    const asked = new URLSearchParams(location.hash.slice(1));
    variant = JSON.parse(asked.get('variant'));
    await loadLibrary();
    await start(asked.get('url'));
    return performance.now();
}

function sleep(ms) {
    return new Promise((resolve) => setTimeout(resolve, ms));
}

globalThis.bench = { load, warm, start, watch, end, counts, collect, read, heap };
if (location.hash) globalThis.coldStart = cold();
