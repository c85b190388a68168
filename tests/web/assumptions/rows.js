/** What the player believes of browsers: each row finds out one thing and says it in a few words. @module */
import { AUDIO, Movie, VIDEO, append, becomes, end, joined, once, ranges, refusal, scene, wait } from './media.js';

const [pictures, large, group, sound, sound44, av1] = await Promise.all(
    ['pictures', 'large', 'group', 'sound', 'sound44', 'av1'].map((name) => Movie.open(`${name}.mp4`)),
);

/** One append of this many pictures. */
const shot = (count, how) => joined([pictures.init, pictures.range(0, count, how)]);

const yes = (condition) => (condition ? 'yes' : 'no');
const types = (...list) => list.map((type) => yes(MediaSource.isTypeSupported(type))).join(' ');
const codecs = (kind, ...names) => types(...names.map((name) => `${kind}/mp4; codecs="${name}"`));

/** What a playing scene does within two and a half seconds. */
const plays = async ({ video }, to = 0.3) => ((await becomes(() => video.currentTime > to)) ? 'plays' : 'stands');

const rows = {
    'MediaSource in a worker': async () => {
        const worker = new Worker('worker.js');
        const { data } = await once(worker, 'message');
        return `${data}, ${yes(MediaSource.canConstructInDedicatedWorker)}`;
    },
    'avc1 avc3 av01 vp09 in mp4': () => codecs('video', 'avc1.64001f', 'avc3.64001f', 'av01.0.04M.08', 'vp09.00.10.08'),
    'vp08 vvc1 in mp4': () => codecs('video', 'vp08.00.10.08', 'vvc1.1.L51.CQA'),
    'AAC .2 .5 .29': () => codecs('audio', 'mp4a.40.2', 'mp4a.40.5', 'mp4a.40.29'),
    'opus Opus flac fLaC in mp4': () => codecs('audio', 'opus', 'Opus', 'flac', 'fLaC'),
    'MP3: audio/mpeg, mp3 and mp4a.6B in mp4': () => `${types('audio/mpeg')} ${codecs('audio', 'mp3', 'mp4a.6B')}`,
    'ac-3 ec-3 ipcm ulaw alaw in mp4': () => codecs('audio', 'ac-3', 'ec-3', 'ipcm', 'ulaw', 'alaw'),
    'requestVideoFrameCallback changeType preservesPitch': () =>
        [HTMLVideoElement, SourceBuffer, HTMLMediaElement]
            .map((type, index) => yes(['requestVideoFrameCallback', 'changeType', 'preservesPitch'][index] in type.prototype))
            .join(' '),
    'latencyHint appendEncodedChunks ManagedMediaSource': () =>
        [
            'latencyHint' in HTMLMediaElement.prototype,
            'appendEncodedChunks' in SourceBuffer.prototype,
            'ManagedMediaSource' in globalThis,
        ]
            .map(yes)
            .join(' '),
    'SharedArrayBuffer without isolation': () => yes(typeof SharedArrayBuffer !== 'undefined'),
    'playbackRate 0.05 and 17': () => {
        const video = document.createElement('video');
        return [0.05, 17].map((rate) => refusal(() => (video.playbackRate = rate))).join(', ');
    },
    'a SourceBuffer added after metadata': async () => {
        const { video, source, buffers } = await scene(VIDEO);
        const loaded = once(video, 'loadedmetadata');
        await append(buffers[0], shot(5));
        await loaded;
        return refusal(() => source.addSourceBuffer(AUDIO));
    },
    'a SourceBuffer that gets no init segment': async () => {
        const it = await scene(VIDEO, AUDIO);
        it.video.play().catch(() => {});
        await append(it.buffers[0], shot(50));
        const before = await plays(it);
        it.source.removeSourceBuffer(it.buffers[1]);
        return `${before}; removed: ${await plays(it)}`;
    },
    'the audio buffer removed while playing': async () => {
        const it = await scene(VIDEO, AUDIO);
        await append(it.buffers[0], shot(75));
        await append(it.buffers[1], joined([sound.init, sound.range(0, 120)]));
        it.video.play().catch(() => {});
        await plays(it);
        it.source.removeSourceBuffer(it.buffers[1]);
        return plays(it, it.video.currentTime + 1.5);
    },
    'one picture missing, two': () => holes([24, 23]),
    'two pictures missing, twice as long durations': () => holes([23], { duration: 0.08 }),
    'sound with a hole of 20 ms, 40 ms': async () => {
        const said = [];
        for (const shift of [0.02, 0.04]) {
            const { buffers } = await scene(AUDIO);
            await append(buffers[0], joined([sound.init, sound.range(0, 20), sound.range(20, 40, { shift })]));
            said.push(ranges(buffers[0]));
        }
        return said.join(', ');
    },
    'a fragment in pieces': async () => {
        const { buffers } = await scene(VIDEO);
        const whole = group.fragments[0];
        await append(buffers[0], joined([group.init, whole.slice(0, whole.length / 2)]));
        const [half, samples] = [end(buffers[0]), yes(end(buffers[0]) > 0.1)];
        await append(buffers[0], whole.slice(whole.length / 2));
        return `${samples}, ${yes(end(buffers[0]) > half)}`;
    },
    'AV1 as ffmpeg writes it': async () => {
        const it = await scene('video/mp4; codecs="av01.0.00M.08"');
        await append(it.buffers[0], joined([av1.init, av1.range(0, 50)]));
        it.video.play().catch(() => {});
        return `${await plays(it, 1)} ${it.video.error?.message ?? ''}`.trim();
    },
    'another size by a new init segment': async () => {
        const it = await scene(VIDEO);
        const shift = 1;
        await append(it.buffers[0], shot(25));
        await append(it.buffers[0], joined([large.init, large.range(0, 25, { shift })]));
        const before = ranges(it.buffers[0]);
        it.video.play().catch(() => {});
        await becomes(() => it.video.videoWidth === 480, 4000);
        return `${before}, ${it.video.videoWidth}`;
    },
    'another sample rate by a new init segment': async () => {
        const { buffers, source } = await scene(AUDIO);
        await append(buffers[0], joined([sound.init, sound.range(0, 46)]));
        await append(buffers[0], joined([sound44.init, sound44.range(0, 40, { shift: end(buffers[0]) })]));
        return `${ranges(buffers[0])}, ${source.readyState}`;
    },
    'samples that last 0': async () => {
        const { buffers } = await scene(VIDEO);
        const said = [];
        for (const [from, to] of [[0, 1], [1, 5]]) {
            await append(buffers[0], joined([pictures.init, pictures.range(from, to, { duration: 0 })]));
            said.push(end(buffers[0]).toFixed(2));
        }
        return said.join(', ');
    },
    'a sample that lasts for days': async () => {
        const { buffers } = await scene(VIDEO);
        await append(buffers[0], shot(1, { duration: 0xffff_ffff / pictures.timescale }));
        return yes(end(buffers[0]) > 40_000);
    },
    'duration stays Infinity after an init segment with one': async () => {
        const { buffers, source } = await scene(VIDEO);
        await append(buffers[0], pictures.initLasting(60_000));
        source.duration = Infinity;
        await append(buffers[0], pictures.initLasting(60_000));
        return String(source.duration);
    },
    'endOfStream before metadata': async () => {
        const { source, video } = await scene(VIDEO);
        source.endOfStream();
        await becomes(() => video.error !== null, 700);
        return video.error ? `error ${video.error.code}` : 'harmless';
    },
    'appended from WebAssembly memory, then overwritten and grown': async () => {
        const it = await scene(VIDEO);
        const memory = new WebAssembly.Memory({ initial: 16, maximum: 64 });
        const bytes = shot(50);
        const held = new Uint8Array(memory.buffer, 1000, bytes.length);
        held.set(bytes);
        const done = once(it.buffers[0], 'updateend');
        it.buffers[0].appendBuffer(held);
        held.fill(0xff);
        memory.grow(1);
        await done;
        it.video.play().catch(() => {});
        return plays(it, 1);
    },
    'BYOB read into WebAssembly memory, its transfer': async () => {
        const memory = new WebAssembly.Memory({ initial: 1 });
        const response = await fetch('pictures.mp4');
        const reader = response.body.getReader({ mode: 'byob' });
        const own = await reader.read(new Uint8Array(10));
        const into = await reader.read(new Uint8Array(memory.buffer, 0, 10)).then(
            () => 'works',
            (error) => error.name,
        );
        return `${own.value.length}, ${into}, ${refusal(() => structuredClone(memory.buffer, { transfer: [memory.buffer] }))}`;
    },
    'one picture is enough to start: no duration, a duration': () => first(pictures.init, pictures.initLasting(60_000)),
    'a second of media starts: autoplay, play()': async () => {
        const said = [];
        for (const auto of [true, false]) {
            const it = await scene(VIDEO);
            it.video.autoplay = auto;
            if (!auto) it.video.play().catch(() => {});
            await append(it.buffers[0], shot(25));
            said.push(await plays(it));
        }
        return said.join(', ');
    },
};

/** How many ranges there are when the first group ends early; the second begins with the 25th picture. */
async function holes(ends, how) {
    const said = [];
    for (const last of ends) {
        const { buffers } = await scene(VIDEO);
        await append(buffers[0], joined([pictures.init, pictures.range(0, last, how), pictures.range(25, 45, how)]));
        said.push(ranges(buffers[0]));
    }
    return said.join(', ');
}

/** Whether a single picture starts playback, for each init segment. */
async function first(...inits) {
    const said = [];
    for (const init of inits) {
        const it = await scene(VIDEO);
        let playing = false;
        it.video.addEventListener('playing', () => (playing = true));
        it.video.play().catch(() => {});
        await append(it.buffers[0], joined([init, pictures.fragment(0, { duration: 0.08 })]));
        said.push(yes(await becomes(() => playing, 1000)));
    }
    return said.join(', ');
}

/** What each row says. Those that need a decoder take turns by themselves: there are few. */
window.findings = async () => {
    const found = {};
    const ask = async ([name, row]) => {
        const late = wait(15_000).then(() => 'no answer');
        found[name] = await Promise.race([(async () => row())().catch((error) => `threw ${error}`), late]);
    };
    await Promise.all(Object.entries(rows).map(ask));
    return found;
};
