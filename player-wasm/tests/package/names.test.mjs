// Lists by the engine's numbers have the names that belong there, and the build shortens only names of our own.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { ENGINE } from '../../js/config.js';
import { Count, Info, Setting, Stat } from '../../js/engine.js';
import { INFO, STATISTICS } from '../../js/report.js';
import { shortNames } from '../../names.mjs';

/** Names that differ by more than their first letter. */
const OTHERWISE = {
    Live: 'isLive', SilenceWarning: 'silenceWarningTimeout', SilenceLimit: 'silenceTimeout', SampleRate: 'audioSampleRate', Channels: 'audioChannelCount',
    Position: 'currentTime', VideoRate: 'videoBitrate', AudioRate: 'audioBitrate', Decoded: 'decodedFrames', Dropped: 'droppedFrames',
    Skipped: 'skippedFrames', SilenceInserted: 'audioFramesInserted', SoundDropped: 'audioFramesDropped',
};
const told = (list) => Object.keys(list).map((name) => OTHERWISE[name] ?? name[0].toLowerCase() + name.slice(1));

test('what the engine is told and tells has its name at its number', () => {
    assert.deepEqual(ENGINE, told(Setting));
    assert.deepEqual(INFO, told(Info));
    assert.deepEqual(STATISTICS, [...told(Stat), 'width', 'height']);
    assert.deepEqual({ ...Count }, { Info: INFO.length, Stat: STATISTICS.length - 2 });
});

test('no name that pages or the engine know is made short', () => {
    const read = (name) => readFileSync(new URL(`../../${name}`, import.meta.url), 'utf8');
    const members = ['types', 'index', 'element'].flatMap((name) => [...read(`js/${name}.d.ts`).matchAll(/^\s*(?:readonly |get |set )*'?([\w-]+)'?\??[:(<]/gm)]);
    const exported = [...read('src/package/exports.rs').matchAll(/^\s*(?:extern "C" fn )?([a-z_]+)\(/gm)];
    const known = new Set([...members, ...exported].map(([, name]) => name));
    assert.ok(known.has('attachMediaElement') && known.has('wants_data') && known.has('min-cache'));
    for (const [name, short] of Object.entries(shortNames)) {
        assert.ok(!known.has(name), name);
        assert.ok(!known.has(short), short);
    }
    assert.equal(new Set(Object.values(shortNames)).size, Object.keys(shortNames).length);
});

/** What of a browser the code touches. */
const TOUCHED = [
    'AbortController', 'AbortSignal', 'AddEventListenerOptions', 'CloseEvent', 'CSSStyleSheet', 'DOMException', 'Document', 'Element', 'ErrorEvent', 'Event',
    'EventTarget', 'Headers', 'HTMLElement', 'HTMLMediaElement', 'HTMLVideoElement', 'MediaError', 'MediaSource', 'MessageEvent', 'Navigator', 'Node',
    'Performance', 'ReadableStream', 'ReadableStreamDefaultReader', 'RequestInit', 'Response', 'ResponseInit', 'SourceBuffer', 'TimeRanges', 'URL',
    'VideoFrameCallbackMetadata', 'VideoPlaybackQuality', 'WebSocket', 'Window', 'Worker', 'WorkerOptions',
];

test('no name of a browser is made short', { skip: !process.env.TYPESCRIPT && 'TYPESCRIPT is not set: the folder of typescript' }, () => {
    const lib = readFileSync(`${process.env.TYPESCRIPT}/lib/lib.dom.d.ts`, 'utf8');
    const members = TOUCHED.flatMap((name) => {
        const [, body] = new RegExp(`^interface ${name}(?:<.*?>)? (?:extends [^{]*)?\\{(.*?)^\\}`, 'ms').exec(lib) ?? [];
        assert.ok(body, name);
        return [...body.matchAll(/^    (?:readonly |get |set )?(\w+)\??[:(<]/gm)].map(([, member]) => member);
    });
    const known = new Set(members);
    assert.ok(known.has('changeType') && known.has('appendBuffer') && known.has('srcObject'));
    for (const name of Object.keys(shortNames)) assert.ok(!known.has(name), name);
});
