/** Plays streams side by side and notes what each of them shows, for the end-to-end tests to judge. @module */
import flv from '/player/index.js';

/** The memories of what is instantiated on this thread. @type {WebAssembly.Memory[]} */
const memories = [];
const { instantiate } = WebAssembly;
WebAssembly.instantiate = async (...args) => {
    const made = await instantiate(...args);
    const { memory } = (made.instance ?? made).exports;
    if (memory) memories.push(memory);
    return made;
};

/** @type {Map<string, Show>} */
const shows = new Map();

/** Milliseconds of Unix time for a time of this page's clock. */
const unix = (time) => performance.timeOrigin + time;

class Show {
    /** `[unix ms, number, media time]` of each picture presented. */
    pictures = [];
    /** `[unix ms, name, text]` */
    events = [];
    /** `[unix ms, playhead, seconds buffered ahead]` */
    playhead = [];
    statistics = {};

    /** @param {{source: object, config: object}} what */
    constructor({ source, config }) {
        const video = document.createElement('video');
        this.video = video;
        video.muted = true;
        video.width = 180;
        document.body.append(video);
        this.begun = performance.now();
        const note = (name, text = '') => this.events.push([unix(performance.now()), name, String(text)]);
        for (const name of ['waiting', 'playing', 'seeking', 'pause', 'ended', 'resize']) {
            video.addEventListener(name, () => note(name, video.currentTime.toFixed(3)));
        }
        video.addEventListener('error', () => note('element-error', video.error?.message));
        const player = flv.createPlayer({ type: 'flv', isLive: true, ...source }, { statisticsInfoReportInterval: 200, ...config });
        this.player = player;
        player.on('error', (type, detail, info) => note('error', `${type} ${detail} ${info?.code}: ${info?.msg}`));
        player.on('warning', (type, detail, info) => note('warning', `${type} ${detail} ${info?.code}: ${info?.msg}`));
        player.on('loading_complete', () => note('complete'));
        player.on('statistics_info', (statistics) => {
            this.statistics = statistics;
        });
        player.on('media_info', (info) => {
            this.media = info;
        });
        this.#watchPictures(video);
        this.sampling = setInterval(() => {
            const { buffered, currentTime } = video;
            const end = buffered.length ? buffered.end(buffered.length - 1) : currentTime;
            this.playhead.push([unix(performance.now()), currentTime, end - currentTime]);
        }, 100);
        player.attachMediaElement(video);
        player.load();
        player.play().catch((error) => note('play', error.name));
    }

    /** @param {HTMLVideoElement} video */
    #watchPictures(video) {
        const canvas = document.createElement('canvas');
        [canvas.width, canvas.height] = [COLUMNS * 3, 3];
        const context = canvas.getContext('2d', { willReadFrequently: true });
        const look = (_, { presentationTime, mediaTime }) => {
            context.drawImage(video, 0, 0, video.videoWidth, video.videoHeight / 8, 0, 0, canvas.width, canvas.height);
            const { data } = context.getImageData(0, 1, canvas.width, 1);
            this.pictures.push([unix(presentationTime), numberIn(data), mediaTime]);
            video.requestVideoFrameCallback(look);
        };
        video.requestVideoFrameCallback(look);
    }

    notes() {
        const { pictures, events, playhead, statistics, media, video, begun } = this;
        return {
            begun: unix(begun),
            now: unix(performance.now()),
            pictures,
            events,
            playhead,
            statistics,
            media,
            width: video.videoWidth,
            audioBytes: video.webkitAudioDecodedByteCount,
            hasSound: video.mozHasAudio,
        };
    }

    close() {
        clearInterval(this.sampling);
        this.player.destroy();
        this.video.remove();
    }
}

/** The number in the picture's upper edge: black, white, ten bits, the least one first; -1 if it is not there. */
function numberIn(data) {
    const isWhite = (column) => data[(column * 3 + 1) * 4] > 127;
    if (isWhite(0) || !isWhite(1)) return -1;
    let number = 0;
    for (let bit = 0; bit < COLUMNS - 2; bit++) number += Number(isWhite(bit + 2)) << bit;
    return number;
}

/** Fields in the picture's upper edge. */
const COLUMNS = 12;

window.theatre = {
    open: (name, what) => shows.set(name, new Show(what)),
    notes: () => Object.fromEntries([...shows].map(([name, show]) => [name, show.notes()])),
    forget: () => {
        for (const show of shows.values()) [show.pictures, show.events, show.playhead] = [[], [], []];
    },
    /** Bytes of every WebAssembly memory on the page's thread. */
    memory: () => memories.reduce((bytes, memory) => bytes + memory.buffer.byteLength, 0),
    /** Elements that may be played elsewhere; a ManagedMediaSource forbids it. */
    remotely: 0,
    close: () => {
        for (const { video } of shows.values()) window.theatre.remotely += Number(video.disableRemotePlayback !== true);
        for (const show of shows.values()) show.close();
        shows.clear();
    },
};
