// The built package in Node, as a server that renders pages imports it.
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import test from 'node:test';
import { fileURLToPath } from 'node:url';

const pkg = new URL('../../pkg/', import.meta.url);
const sources = new URL('../../js/', import.meta.url);

test('importing has no effects and throws nothing', async () => {
    const before = Object.getOwnPropertyNames(globalThis).sort();
    const { default: pushpull, ...named } = await import(new URL('index.js', pkg));
    assert.deepEqual(Object.getOwnPropertyNames(globalThis).sort(), before);
    assert.equal(pushpull.isSupported(), false);
    assert.equal(pushpull.getFeatureList().msePlayback, false);
    for (const [name, value] of Object.entries(pushpull)) assert.equal(named[name], value, name);
});

test('the face of flv.js and mpegts.js', async () => {
    const { default: pushpull } = await import(new URL('index.js', pkg));
    for (const name of ['createPlayer', 'isSupported', 'getFeatureList', 'BaseLoader', 'FlvPlayer', 'MSEPlayer', 'NativePlayer']) {
        assert.equal(typeof pushpull[name], 'function', name);
    }
    for (const name of ['LoaderStatus', 'LoaderErrors', 'Events', 'ErrorTypes', 'ErrorDetails', 'LoggingControl']) {
        assert.equal(typeof pushpull[name], 'object', name);
    }
    const { version } = JSON.parse(readFileSync(new URL('package.json', pkg), 'utf8'));
    assert.equal(pushpull.version, version);
    const player = pushpull.createPlayer({ type: 'flv', url: 'x.flv' }, { enableWorker: true });
    assert.equal(player.type, 'FlvPlayer');
    assert.equal(player.buffered.length, 0);
    assert.equal(player.latencyKind, 'buffer');
    for (const name of ['videoBitrate', 'netQualityLevel', 'videoCache', 'vSumCacheSize', 'audioCacheThreshold']) {
        assert.equal(typeof player.stats[name], 'number', name);
    }
    assert.equal(pushpull.createPlayer({ type: 'mp4', url: 'x.mp4' }).type, 'NativePlayer');
    assert.throws(() => pushpull.createPlayer({ url: 'x.flv' }), TypeError);
    assert.throws(() => pushpull.createPlayer({ type: 'flv' }), TypeError);
    assert.throws(() => pushpull.createPlayer({ type: 'flv', url: 'x' }, { pacing: 'fast' }), TypeError);
    await player.destroy();
});

test('settings of others mean the nearest of ours', async () => {
    const [{ settle }, { adapt }] = await Promise.all([import('../../js/config.js'), import('../../js/compat.js')]);
    const settled = (given) => {
        const settings = settle(given);
        adapt(given, settings, () => {});
        return settings;
    };
    const meant = (given, ...names) => names.map((name) => settled(given)[name]);
    assert.deepEqual(meant({ enableWorker: false }, 'mode'), ['main']);
    assert.deepEqual(meant({ enableWorker: true }, 'mode'), ['auto']);
    assert.deepEqual(meant({ enableWorker: true, enableWorkerForMSE: false }, 'mode'), ['transmux']);
    assert.deepEqual(meant({ enableWorker: false, enableWorkerForMSE: true }, 'mode'), ['auto']);
    assert.deepEqual(meant({ enableWorker: false, mode: 'worker' }, 'mode'), ['worker']);
    const latency = ['targetLatency', 'maxTargetLatency', 'maxPlaybackRate'];
    assert.deepEqual(meant({ liveSync: true }, ...latency), [0.8, 1.2, 1.2]);
    assert.deepEqual(meant({ liveSync: true, liveSyncTargetLatency: 2, liveSyncPlaybackRate: 1.5 }, ...latency), [2, 2, 1.5]);
    assert.deepEqual(meant({ liveSync: false, liveSyncTargetLatency: 2 }, ...latency), [undefined, 4, undefined]);
    assert.deepEqual(meant({ liveBufferLatencyChasing: true, liveBufferLatencyMinRemain: 0.3 }, ...latency), [0.3, 1.5, undefined]);
    assert.deepEqual(meant({ 'min-cache': 0.2, 'max-cache': 0.8 }, ...latency), [0.2, 0.8, undefined]);
    assert.deepEqual(meant({ autoCleanupMaxBackwardDuration: 60, autoCleanupMinBackwardDuration: 30 }, 'backBuffer'), [60]);
    assert.deepEqual(meant({ autoCleanupMinBackwardDuration: 30 }, 'backBuffer'), [30]);
    assert.ok(settled({ autoCleanupSourceBuffer: false }).backBuffer > 1e6);
    assert.deepEqual(meant({ fixAudioTimestampGap: false }, 'fillAudio'), [false]);
    assert.deepEqual(meant({ customSeekHandler: class {} }, 'mode'), ['main']);
});

test('every setting of flv.js 1.6 and mpegts.js 1.8 is known', async () => {
    const [{ defaults }, { adapt }] = await Promise.all([import(new URL('config.js', sources)), import(new URL('compat.js', sources))]);
    const keys = [
        'enableWorker', 'enableWorkerForMSE', 'enableStashBuffer', 'stashInitialSize', 'isLive',
        'liveBufferLatencyChasing', 'liveBufferLatencyChasingOnPaused', 'liveBufferLatencyMaxLatency', 'liveBufferLatencyMinRemain',
        'liveSync', 'liveSyncMaxLatency', 'liveSyncTargetLatency', 'liveSyncPlaybackRate',
        'lazyLoad', 'lazyLoadMaxDuration', 'lazyLoadRecoverDuration', 'deferLoadAfterSourceOpen',
        'autoCleanupSourceBuffer', 'autoCleanupMaxBackwardDuration', 'autoCleanupMinBackwardDuration',
        'statisticsInfoReportInterval', 'fixAudioTimestampGap', 'accurateSeek', 'seekType', 'seekParamStart', 'seekParamEnd',
        'rangeLoadZeroStart', 'customSeekHandler', 'reuseRedirectedURL', 'referrerPolicy', 'headers', 'customLoader',
    ];
    const said = [];
    adapt(Object.fromEntries(keys.map((key) => [key, true])), { ...defaults }, (level, text) => said.push([level, text]));
    assert.deepEqual(said.filter(([level]) => level !== 'info'), []);
});

test('what has no effect is said once', async () => {
    const { default: pushpull } = await import(new URL('index.js', pkg));
    const said = [];
    const listener = (level, text) => said.push([level, text]);
    const quiet = { info: console.info, warn: console.warn };
    console.info = console.warn = () => {};
    pushpull.LoggingControl.addLogListener(listener);
    pushpull.LoggingControl.enableInfo = true;
    try {
        for (let n = 0; n < 3; n += 1) {
            pushpull.createPlayer({ type: 'flv', url: 'x' }, { enableStashBuffer: false, stashInitialSize: 128, nonsense: 1 });
        }
        while (said.length < 3) await new Promise((resolve) => setTimeout(resolve, 5));
        await new Promise((resolve) => setTimeout(resolve, 50));
    } finally {
        Object.assign(console, quiet);
        pushpull.LoggingControl.removeLogListener(listener);
        pushpull.LoggingControl.enableInfo = false;
    }
    assert.deepEqual(said.map(([level, text]) => [level, /config\.(\w+)/.exec(text)?.[1]]).sort(), [
        ['info', 'enableStashBuffer'],
        ['info', 'stashInitialSize'],
        ['warn', 'nonsense'],
    ]);
});

test('the element can be imported where there are none', async () => {
    const { FlvLiveElement } = await import(new URL('element.js', pkg));
    assert.equal(typeof FlvLiveElement, 'function');
    assert.equal(globalThis.customElements, undefined);
});

test('what package.json names is there', () => {
    const { exports, types, main, files } = JSON.parse(readFileSync(new URL('package.json', pkg), 'utf8'));
    const named = Object.values(exports).flatMap((target) => (typeof target === 'string' ? [target] : Object.values(target)));
    for (const name of [types, main, ...named, ...files.filter((file) => !file.includes('*'))]) {
        assert.ok(existsSync(fileURLToPath(new URL(name, pkg))), `${name} is in the package`);
    }
});
