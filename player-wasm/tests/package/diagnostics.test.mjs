// The dump of a bug report: one FLV of what came over several connections.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { dump } from '../../js/diagnostics.js';
import { Recorder } from '../../js/recorder.js';

const clip = new Uint8Array(readFileSync(new URL('../../testdata/clip.flv', import.meta.url)));

/** The clip's header and its first tags, metadata and configurations. */
const head = clip.slice(0, tagEnds(clip)[2]);

/** @param {Uint8Array} flv @returns {number[]} where tags end */
function tagEnds(flv) {
    const view = new DataView(flv.buffer, flv.byteOffset, flv.length);
    const ends = [];
    for (let at = 13; at + 15 <= flv.length; ) {
        at += 15 + (view.getUint32(at) & 0xffffff);
        if (at <= flv.length) ends.push(at);
    }
    return ends;
}

/** @param {Recorder} recorder @param {Uint8Array} bytes @param {number} at */
function record(recorder, bytes, at) {
    for (let from = 0; from < bytes.length; from += 1400) recorder.add(bytes.subarray(from, from + 1400), at);
}

/** @param {Recorder} recorder */
function dumped(recorder) {
    const { flv } = dump({ kept: recorder.kept, head, log: [] });
    return new Uint8Array(flv);
}

/** Packets of each track that ffprobe finds; that pictures are missing it may say. @param {Uint8Array} flv */
function framesOf(flv) {
    const folder = mkdtempSync(join(tmpdir(), 'dump-'));
    try {
        const file = join(folder, 'dump.flv');
        writeFileSync(file, flv);
        const wanted = ['-v', 'error', '-count_packets', '-show_entries', 'stream=nb_read_packets', '-of', 'csv=p=0', file];
        return execFileSync('ffprobe', wanted, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim().split('\n').map(Number);
    } finally {
        rmSync(folder, { recursive: true });
    }
}

test('a connection that was lost inside a tag is followed by the next', () => {
    const recorder = new Recorder();
    recorder.restart(new Uint8Array());
    const ends = tagEnds(clip);
    const cut = ends[ends.length >> 1];
    record(recorder, clip.subarray(0, cut + 20), 0);
    assert.equal(recorder.chunks.reduce((sum, { length }) => sum + length, 0), cut + 20);
    recorder.restart(head);
    record(recorder, clip, 1000);
    assert.equal(recorder.chunks.reduce((sum, { length }) => sum + length, 0), clip.length, 'of the present connection');
    const flv = dumped(recorder);
    assert.equal(flv.length, cut + clip.length - 13, 'whole tags, one header');
    assert.deepEqual(tagEnds(flv).at(-1), flv.length);
    const [once, twice] = [framesOf(clip), framesOf(flv)];
    assert.equal(once.length, twice.length);
    twice.forEach((count, stream) => assert.ok(count > once[stream], `${twice} of ${once}`));
});

test('what is old is forgotten, and the rest begins as streams do', () => {
    const recorder = new Recorder();
    recorder.restart(new Uint8Array());
    record(recorder, clip.subarray(0, 20_000), 0);
    recorder.isSettled = true;
    record(recorder, clip.subarray(20_000), 9000);
    recorder.restart(head);
    record(recorder, clip.subarray(0, 30_000), 12_000);
    assert.ok(recorder.chunks.length > 0, 'the present connection is whole');
    const flv = dumped(recorder);
    assert.deepEqual(flv.subarray(0, head.length), head);
    assert.ok(flv.length < head.length + clip.length - 20_000 + 30_000);
    assert.ok(framesOf(flv).every((count) => count > 0));
    record(recorder, clip.subarray(30_000), 23_000);
    assert.deepEqual(recorder.chunks, [], 'its beginning is gone');
});
