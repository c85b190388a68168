/** What the end-to-end tests of sources do on a page: each function is one, and gives what it found. @module */
import flv from '/player/index.js';

/** @param {number} ms */
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** The test bounds the time. @param {() => unknown} condition */
async function until(condition) {
    while (!condition()) await pause(20);
}

/** @param {object} source @param {object} [config] */
function play(source, config) {
    const video = document.createElement('video');
    video.muted = true;
    document.body.append(video);
    const player = flv.createPlayer({ type: 'flv', ...source }, config);
    const seen = { errors: [], warnings: [], recovered: 0, complete: 0 };
    player.on('error', (type, detail, { msg }) => seen.errors.push(`${type}: ${detail}: ${msg}`));
    player.on('warning', (type, detail, { msg, context }) => {
        // On a busy machine the decoder stands still now and then.
        if (context.step !== 'nudge') seen.warnings.push({ msg, step: context.step });
    });
    player.on('recovered_early_eof', () => (seen.recovered += 1));
    player.on('loading_complete', () => (seen.complete += 1));
    player.attachMediaElement(video);
    player.load();
    player.play();
    const frames = () => video.getVideoPlaybackQuality().totalVideoFrames;
    /** Until it has gone on for a second, with pictures. */
    const goesOn = async () => {
        const [time, before] = [video.currentTime, frames()];
        await until(() => seen.errors.length > 0 || (video.currentTime >= time + 1 && frames() >= before + 10));
    };
    const end = async () => {
        await player.destroy();
        video.remove();
        return seen;
    };
    return { video, player, seen, goesOn, end };
}

/** Counts the tags of a dump that follow each other without anything between. @param {ArrayBuffer} dump */
function tags(dump) {
    const view = new DataView(dump);
    let count = 0;
    for (let at = 13; at + 15 <= view.byteLength; count += 1) {
        const size = 11 + (view.getUint32(at) & 0xffffff);
        if (at + size + 4 > view.byteLength) break;
        if (![8, 9, 18].includes(view.getUint8(at)) || view.getUint32(at + size) !== size) return -count;
        at += size + 4;
    }
    return count;
}

const scenarios = {
    /** A file is played and sought, back too when all of it was read; its dump is FLV. */
    async file(url, mode) {
        const scene = play({ url, isLive: false }, { mode });
        await scene.goesOn();
        const { duration } = scene.video;
        const sought = [];
        for (const time of [60, 10, 115, 30]) {
            scene.video.currentTime = time;
            await until(() => scene.seen.errors.length > 0 || (!scene.video.seeking && scene.video.currentTime >= time));
            await scene.goesOn();
            sought.push([time, scene.video.currentTime]);
        }
        const { flv, log } = await scene.player.dumpDiagnostics();
        const notes = log.map(([, what]) => what);
        return { duration, sought, tags: tags(flv), notes, info: scene.player.mediaInfo.hasKeyframesIndex, mode: scene.player.statisticsInfo.mode, ...(await scene.end()) };
    },

    /** Of a server that gives no parts only what is there can be sought. */
    async whole(url) {
        const scene = play({ url, isLive: false });
        await scene.goesOn();
        scene.video.currentTime = 110;
        await until(() => scene.seen.warnings.length > 0);
        await scene.goesOn();
        const { currentTime: time } = scene.video;
        return { time, ...(await scene.end()) };
    },

    /** A file that breaks off is gone on with. */
    async broken(url, seconds) {
        const scene = play({ url, isLive: false });
        // What a browser received and nobody read yet is lost with the connection.
        await until(() => scene.video.readyState > 0);
        await fetch(new URL('/break', url));
        await until(() => scene.seen.recovered > 0 || scene.seen.errors.length > 0);
        scene.video.currentTime = seconds;
        await scene.goesOn();
        const { currentTime: time } = scene.video;
        return { time, ...(await scene.end()) };
    },

    /** The first address is dead: the next one plays. */
    async alternate(url, alternateUrls) {
        const scene = play({ url, alternateUrls, isLive: true });
        await scene.goesOn();
        const { transport } = scene.player.statisticsInfo;
        return { transport, ...(await scene.end()) };
    },

    /** How many pictures Firefox took from the buffer for how many that were to be shown. */
    async parsed(url) {
        const scene = play({ url, isLive: true });
        await scene.goesOn();
        await scene.goesOn();
        const [time, before] = [scene.video.currentTime, scene.video.mozParsedFrames];
        await until(() => scene.seen.errors.length > 0 || scene.video.currentTime > time + 4);
        const pictures = (scene.video.currentTime - time) * scene.player.mediaInfo.fps;
        return { pictures, parsed: scene.video.mozParsedFrames - before, ...(await scene.end()) };
    },

    /** Players are made, loaded, moved and ended in any order, in all modes, over both transports. */
    async races(url, seed, steps) {
        let state = seed;
        const random = (limit) => {
            state = (state * 1103515245 + 12345) & 0x7fffffff;
            return (state >> 8) % limit;
        };
        const uncaught = [];
        addEventListener('unhandledrejection', ({ reason }) => uncaught.push(String(reason)));
        addEventListener('error', ({ message }) => uncaught.push(message));
        const alive = [];
        for (let step = 0; step < steps; step += 1) {
            if (alive.length < 4 && random(2)) {
                const mode = ['worker', 'transmux', 'main'][random(3)];
                const video = document.createElement('video');
                video.muted = true;
                const player = flv.createPlayer({ type: 'flv', isLive: true, url: random(2) ? url : url.replace('http', 'ws') }, { mode });
                player.on('error', (type, detail, { msg }) => uncaught.push(msg));
                alive.push({ player, video });
            } else if (alive.length > 0) {
                const which = random(alive.length);
                const { player, video } = alive[which];
                const act = random(7);
                if (act === 0) player.attachMediaElement(video);
                else if (act === 1) player.load();
                else if (act === 2) player.unload();
                else if (act === 3) player.play();
                else if (act === 4) player.pause();
                else if (act === 5) player.detachMediaElement();
                else alive.splice(which, 1)[0].player.destroy();
            }
            if (random(2)) await pause(random(80));
        }
        for (const { player } of alive) player.destroy();
        return { uncaught };
    },
};

/** Begins one; `window.outcome` has what it found. @param {string} name @param {...any} args */
window.begin = (name, ...args) => {
    window.outcome = null;
    scenarios[name](...args).then(
        (found) => (window.outcome = { found }),
        (error) => (window.outcome = { error: String(error?.stack ?? error) }),
    );
};
