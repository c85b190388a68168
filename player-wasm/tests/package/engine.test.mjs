// The engine of the built package, without a browser: it is fed half an hour of a live stream, and is
// answered as a browser would.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { Op, Setting, startEngine, Stat, Track } from '../../js/engine.js';
import { readScript } from '../../js/script.js';

const at = (name) => new URL(`../../${name}`, import.meta.url);
const HEADER = 13;
const MINUTES = 30;

/** The clip's tags and its length in ms; its times are written anew in each round. */
function clip() {
    const bytes = new Uint8Array(readFileSync(at('testdata/clip.flv')));
    const view = new DataView(bytes.buffer);
    const tags = [];
    for (let from = HEADER; from < bytes.length; ) {
        const end = from + 11 + (view.getUint32(from) & 0xffffff) + 4;
        const [kind, first, second] = [bytes[from], bytes[from + 11], bytes[from + 12]];
        const isConfig = kind === 18 || ((kind === 9 || first >> 4 === 10) && second === 0);
        if (!(kind === 9 && second === 2)) tags.push({ time: view.getUint32(from + 4) >>> 8, isConfig, bytes: bytes.slice(from, end) });
        from = end;
    }
    return { header: bytes.slice(0, HEADER), tags, length: Math.max(...tags.map(({ time }) => time)) + 40 };
}

function stamp(bytes, time) {
    bytes[4] = time >> 16;
    bytes[5] = time >> 8;
    bytes[6] = time;
    bytes[7] = time >> 24;
    return bytes;
}

for (const build of ['pushpull_player_bg.wasm', 'full/pushpull_player_bg.wasm']) {
    test(`${build}: memory does not grow in ${MINUTES} minutes of play`, async () => {
        const engine = await startEngine(await WebAssembly.compile(readFileSync(at(`pkg/${build}`))));
        engine.set(Setting.Live, 1);
        const seen = new Map();
        const appended = [0, 0];
        let metadata;
        let now = 1e12;
        const work = () => {
            for (let op; (op = engine.poll(now)) !== Op.None; ) {
                seen.set(op, (seen.get(op) ?? 0) + 1);
                const track = engine.track();
                if (op === Op.CheckType) engine.type_checked(track, true, now);
                if (op === Op.Append) appended[track] += engine.bytes().length;
                if (op === Op.Append || op === Op.Remove) engine.finished(track, now);
                if (op === Op.Script) metadata = readScript(engine.bytes());
            }
        };
        engine.opened(now);
        engine.source_opened(now);
        const { header, tags, length } = clip();
        engine.feed(header, now);
        const begin = now;
        const sizes = [];
        for (let start = 0; start < MINUTES * 60_000; start += length) {
            for (const { time, isConfig, bytes } of tags) {
                if (isConfig && start > 0) continue;
                now = begin + start + time;
                engine.feed(stamp(bytes, start + time), now);
                work();
                engine.playhead(now, Math.max(0, (start + time) / 1000 - 0.4), 1, 0, (start + time) / 40, 0);
                work();
            }
            engine.tick(now);
            work();
            sizes.push(engine.memory.buffer.byteLength);
        }
        assert.equal(metadata[0], 'onMetaData');
        assert.equal(metadata[1].width, 320);
        assert.equal(seen.get(Op.Fault), undefined);
        assert.equal(engine.stat(Stat.Rebuilds, now), 0);
        assert.ok(appended[Track.Video] > 1e6 && appended[Track.Audio] > 1e6, `${appended}`);
        const settled = sizes[Math.ceil(60_000 / length)];
        assert.equal(sizes.at(-1), settled, 'bytes of memory at the end, and after a minute');
        assert.ok(settled <= 4 << 20, `${settled} bytes`);
    });
}
