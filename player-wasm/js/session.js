/** One load of one stream: source, engine and output. @module */
import { Connection } from './connection.js';
import { ErrorDetails, mediaFailure, networkFailure, otherFailure, textOf } from './errors.js';
import { Count, Fault, Info, Notice, Op, Setting, startEngine, Track } from './engine.js';
import { Events } from './events.js';
import { Message } from './messages.js';
import { Recorder } from './recorder.js';
import { captureTime, readScript } from './script.js';
import { seiMessage } from './sei.js';

/** @typedef {import('./engine.js').Engine} Engine */

/** Something that went wrong, known here or by the engine's number for it. @typedef {import('./errors.js').Failure | {cause: import('./explain.js').Cause}} Trouble */

export class Session {
    id;
    post;
    config;
    /** The engine's. */
    #settings;
    /** @type {Engine | undefined} */
    engine;
    connection;
    #isConnected = false;
    /** A {@link import('./output.js').MediaOutput}, here or on the page. @type {any} */
    output;
    /** @type {ReturnType<typeof setInterval>[]} */
    #timers = [];
    /** Until the source is opened again. @type {ReturnType<typeof setTimeout> | undefined} */
    #pause;
    isClosed = false;
    /** What came before the engine was there. @type {Uint8Array[]} */
    #early = [];
    #earlyBytes = 0;
    /** Lets a source that was asked to wait go on. */
    #goOn = () => {};
    /** How the source ended, if it did: a failure, or null for a proper end. @type {import('./source.js').SourceFailure | null | undefined} */
    sourceEnd;
    /** Types the output was asked for and has not answered; whether the end of the source waits for that. */
    #unchecked = 0;
    #endWaits = false;
    /** What the browser last said of a failed append or decoder. @type {import('./errors.js').Failure} */
    #outputFailure;
    metadata;
    recorder = new Recorder();
    #started = now();
    /** A stream's beginning as the engine knew it when it ended. @type {Uint8Array | undefined} */
    #head;
    #hasTracks = false;
    /** Of a file: its length in seconds, where the playhead last was while it was not sought. */
    duration = 0;
    position = 0;
    #parts;

    /**
     * @param {{id: number, request: import('./source.js').Request, config: any, settings: number[]}} load
     * @param {(message: object, transfer?: Transferable[]) => void} post @param {import('./parts.js').Parts} parts
     */
    constructor({ id, request, config, settings }, post, parts) {
        this.id = id;
        this.post = post;
        this.config = config;
        this.#settings = settings;
        this.#parts = parts;
        const sink = {
            opened: (isNew) => this.#sourceOpened(isNew),
            slow: () => this.#warnOfSlowness(request),
            data: (bytes) => this.#receiveData(bytes),
            ended: () => this.#endSource(null),
            failed: (failure) => this.#endSource(failure),
        };
        this.connection = this.connect(request, config, sink, parts);
    }

    /** The stream is on its way while the WebAssembly is still being compiled. */
    begin() {
        this.connection.open();
        this.openOutput();
    }

    /** @returns {any} of files {@link import('./file-connection.js').FileConnection} */
    connect(request, config, sink, parts) {
        return new Connection(request, config, sink, parts);
    }

    /** @param {any} message from the page */
    receive(message) {
        switch (message.type) {
            case Message.Wasm:
                this.#startEngine(message).catch((error) => {
                    this.#fail(otherFailure(`the WebAssembly does not start: ${textOf(error)}`));
                });
                break;
            case Message.Playhead:
                this.moved(message.report);
                break;
            case Message.Output:
                this.output.receive(message);
                break;
            case Message.ElementError:
                this.#outputFailed(message.code, message.text || 'the browser could not decode the stream');
                break;
            case Message.Seek:
                this.seek(message.time);
                break;
            case Message.Sei:
                this.#settings[Setting.Sei] = 1;
                break;
            case Message.Diagnostics:
                this.#diagnose(message.token);
                break;
        }
    }

    /** @param {number[]} report of the playhead */
    moved(report) {
        const [, time, , flags] = report;
        if (!(flags & SEEKING)) this.position = time;
        this.drive((engine) => engine.playhead(...report));
    }

    /** Of what is live there is nothing but what is buffered. @param {number} time */
    seek(time) {}

    close() {
        if (!this.isClosed) this.#stop();
        this.output.close();
    }

    /** Stops everything but the output: what is buffered may be played to its end. */
    #stop() {
        this.isClosed = true;
        this.connection.close();
        clearTimeout(this.#pause);
        this.#stopEngine();
        this.#early = [];
        this.#goOn();
    }

    #stopEngine() {
        for (const timer of this.#timers.splice(0)) clearInterval(timer);
        this.engine = undefined;
    }

    /** @param {{module: WebAssembly.Module}} build */
    async #startEngine({ module }) {
        const engine = await startEngine(module);
        if (this.isClosed) return;
        this.#settings.forEach((value, setting) => value >= 0 && value < Infinity && engine.set(setting, value));
        this.engine = engine;
        this.#unchecked = 0;
        this.#timers.push(
            setInterval(() => this.drive((engine) => engine.tick(now())), TICK_INTERVAL),
            setInterval(() => this.#reportStatistics(), this.config.statisticsInfoReportInterval),
        );
        if (this.#isConnected) engine.source_opened(now());
        if (this.output.isOpen) this.drive((engine) => engine.opened(now()));
        for (const bytes of this.#early.splice(0)) this.#feed(bytes);
        this.#earlyBytes = 0;
        this.#goOn();
        if (this.sourceEnd !== undefined) this.#endSource(this.sourceEnd);
    }

    /** @param {boolean} isNew not a file that goes on where it broke off */
    #sourceOpened(isNew) {
        this.sourceEnd = undefined;
        this.#endWaits = false;
        this.#isConnected = true;
        this.note('opened', this.connection.url);
        if (isNew) {
            this.recorder.restart(this.#readHead());
            this.drive((engine) => engine.source_opened(now()));
            this.post({ type: Message.Connected });
        } else {
            this.#event(Events.RECOVERED_EARLY_EOF);
        }
    }

    /** @param {Uint8Array} bytes @returns {Promise<void> | undefined} */
    #receiveData(bytes) {
        this.recorder.add(bytes, now());
        if (this.engine) {
            this.#feed(bytes);
            if (this.engine?.wants_data() !== false) return undefined;
        } else {
            this.#early.push(bytes);
            this.#earlyBytes += bytes.length;
            if (this.#earlyBytes < ENOUGH_EARLY_BYTES) return undefined;
            if (this.#earlyBytes > MAX_EARLY_BYTES) {
                this.#fail(otherFailure("the WebAssembly takes too long to load"));
                return undefined;
            }
        }
        return new Promise((resolve) => {
            this.#goOn = resolve;
        });
    }

    /** @param {Uint8Array} bytes */
    #feed(bytes) {
        this.drive((engine) => engine.feed(bytes, now()));
    }

    /** @param {import('./source.js').SourceFailure | null} failure */
    #endSource(failure) {
        this.sourceEnd = failure;
        this.note('ended', failure?.msg);
        const retry = failure?.retry ?? true;
        // What could be played must be known before it is said that nothing could.
        this.#endWaits = this.#unchecked > 0;
        if (this.#endWaits) return;
        if (this.engine) this.drive((engine) => engine.source_ended(failure === null, retry, now()));
        else if (failure && !retry) this.#fail(failure);
    }

    /** @param {number} delay seconds @param {number} attempt */
    #reconnect(delay, attempt) {
        // Not ended at all: the engine has given it up.
        const what = this.sourceEnd === null ? 'the stream ended' : 'the connection is given up';
        const why = this.sourceEnd ?? networkFailure(ErrorDetails.NETWORK_EARLY_EOF, -1, what);
        this.connection.close();
        const context = { url: this.connection.url, ...why.context, step: 'reconnect', attempt, delay };
        this.warn({ ...why, msg: `${why.msg}; trying again (${attempt})`, context });
        this.#pause = setTimeout(() => this.connection.reopen(), delay * 1000);
    }

    /** Others of the page may hold all connections that a browser opens to a host. @param {import('./source.js').Request} request */
    #warnOfSlowness({ url, others }) {
        const msg = `no answer yet; this page plays ${others} more, and HTTP/1.1 has six connections to a host`;
        if (others) this.warn(networkFailure(ErrorDetails.NETWORK_TIMEOUT, -1, msg, { step: 'connect', url, others }));
    }

    /** Another build of the engine is needed. @param {string} what it is needed for */
    #upgrade(what) {
        this.#stopEngine();
        if (this.config.module === 'core') {
            this.#fail({ cause: { number: Fault.CodecUnsupported, value: 0, text: what } });
            return;
        }
        this.post({ type: Message.Upgrade });
        if (this.#hasTracks) this.#renewOutput();
        this.#early = this.recorder.chunks;
        if (this.#early.length) return;
        this.warn(mediaFailure(ErrorDetails.MEDIA_DISCONTINUITY, 'Upgrade', `${what} needs the larger build; starting anew`, { step: 'upgrade', codec: what }));
        this.connection.open();
    }

    openOutput() {
        const listener = {
            opened: () => this.drive((engine) => engine.opened(now())),
            checked: (track, playable) => {
                this.#unchecked -= 1;
                this.drive((engine) => engine.type_checked(track, playable, now()));
                if (this.#endWaits) this.#endSource(this.sourceEnd);
            },
            finished: (track) => this.drive((engine) => engine.finished(track, now())),
            evicted: (end, why) => end > this.position && this.#outputFailed('Evicted', why),
            failed: this.#refuse.bind(this),
        };
        this.output = this.#parts.makeOutput(this.config.mode, listener, this.post);
        const { attachment } = this.output;
        if (attachment) this.post({ type: Message.Attach, ...attachment }, attachment.handle && [attachment.handle]);
    }

    #renewOutput() {
        this.#hasTracks = false;
        this.output.close();
        this.openOutput();
    }

    /** The output could not begin, or not read, what it was asked for. @type {import('./output.js').Listener['failed']} */
    #refuse(track, full, text, spoiled) {
        if (spoiled) this.engine?.spoiled(track);
        if (full) {
            this.drive((engine) => engine.refused(track));
            return;
        }
        // Mostly because the element has failed, which it is about to tell better itself.
        const output = this.output;
        setTimeout(() => this.output === output && this.#outputFailed(-1, text), ELEMENT_PATIENCE);
    }

    #outputFailed(code, msg) {
        this.#outputFailure = mediaFailure(ErrorDetails.MEDIA_MSE_ERROR, code, msg);
        this.drive((engine) => engine.output_failed(now()));
    }

    /** Tells the engine something and carries out what it wants. @param {(engine: Engine) => void} tell */
    drive(tell) {
        if (!this.engine) return;
        try {
            tell(this.engine);
            while (this.engine && this.#carryOut(this.engine.poll(now()), this.engine));
            if (this.engine?.wants_data()) this.#goOn();
        } catch (error) {
            // A trap leaves the engine unusable.
            if (error instanceof WebAssembly.RuntimeError) this.engine = undefined;
            this.#fail(otherFailure(`internal error: ${textOf(error)}`));
        }
    }

    /** @param {Op} op @param {Engine} engine @returns {boolean} whether there may be more */
    #carryOut(op, engine) {
        const output = this.output;
        switch (op) {
            case Op.None:
                return false;
            case Op.CheckType:
                this.#unchecked += 1;
                output.check(engine.track(), engine.text());
                break;
            case Op.AddTrack:
                this.#hasTracks = true;
                this.note('track', engine.text());
                output.addTrack(engine.track(), engine.text());
                // An even pace comes from a length that the media claims; nobody else should believe it.
                if (this.config.isLive) output.setDuration(Infinity);
                break;
            case Op.ChangeType:
                this.note('type', engine.text());
                output.changeType(engine.track(), engine.text());
                break;
            case Op.Append:
                output.append(engine.track(), engine.bytes(), engine.a());
                break;
            case Op.Remove:
                output.remove(engine.track(), engine.a(), engine.b());
                break;
            case Op.Seek:
                this.note('seek', engine.a());
                this.post({ type: Message.Seek, time: engine.a() });
                break;
            case Op.Rate:
                this.post({ type: Message.Rate, rate: engine.a() });
                break;
            case Op.MediaInfo:
                this.recorder.isSettled = true;
                this.#reportMedia(engine);
                break;
            case Op.Script:
                this.#reportScript(engine);
                break;
            case Op.Sei:
                this.#reportSei(engine);
                break;
            case Op.Rebuild:
                this.note('rebuild');
                this.#renewOutput();
                break;
            case Op.Connect:
                this.#reconnect(engine.a(), engine.b());
                break;
            case Op.Upgrade:
                this.note('upgrade', engine.text());
                this.#upgrade(engine.text());
                break;
            case Op.Notice:
                this.warn(troubleOf(engine, { [Notice.Output]: this.#outputFailure, [Notice.Silence]: silence(ErrorDetails.NETWORK_SILENCE, engine) }));
                break;
            case Op.Fault:
                this.#fail(troubleOf(engine, { [Fault.Source]: this.sourceEnd, [Fault.Output]: this.#outputFailure, [Fault.Silence]: silence(ErrorDetails.NETWORK_EARLY_EOF, engine) }));
                break;
            case Op.Complete:
                this.note('complete');
                output.end();
                this.#event(Events.LOADING_COMPLETE);
                break;
            default:
                throw new Error(`unknown command ${op}`);
        }
        return true;
    }

    /** @param {Engine} engine */
    #reportMedia(engine) {
        const both = [Track.Video, Track.Audio];
        this.post({
            type: Message.Media,
            values: Array.from({ length: Count.Info }, (_, info) => engine.info(info)),
            codecs: both.map(engine.codec),
            tracks: both.map(engine.has_track),
            metadata: this.metadata,
            duration: this.duration,
        });
    }

    /** @param {Engine} engine */
    #reportScript(engine) {
        const time = engine.a();
        let name, value;
        try {
            [name, value] = readScript(engine.bytes());
        } catch (error) {
            this.warn({ cause: { number: Notice.BadTag, value: (time || 0) * 1000, text: textOf(error) } });
            return;
        }
        engine.captured(captureTime(name, value));
        if (name === 'onMetaData') {
            this.described(value);
            this.#event(Events.METADATA_ARRIVED, value);
        }
        const data = { [name]: value };
        this.#event(Events.SCRIPTDATA_ARRIVED, data);
        this.post({ type: Message.Cue, name: Events.SCRIPTDATA_PRESENTED, time, data });
    }

    /** @param {Engine} engine */
    #reportSei(engine) {
        const time = engine.a();
        const data = seiMessage(engine.code(), time, engine.bytes().slice());
        this.#event(Events.SEI_ARRIVED, data);
        this.post({ type: Message.Cue, name: Events.SEI_PRESENTED, time, data });
    }

    #reportStatistics() {
        const engine = this.engine;
        if (!engine) return;
        const values = Array.from({ length: Count.Stat }, (_, stat) => engine.stat(stat, now()));
        values.push(engine.info(Info.Width), engine.info(Info.Height));
        this.post({ type: Message.Statistics, values, ...this.connection.whereabouts });
    }

    /** @param {any} value of `onMetaData` */
    described(value) {
        this.metadata = value;
    }

    /** @param {number} token */
    #diagnose(token) {
        const { log, kept } = this.recorder;
        this.post({ type: Message.Diagnostics, token, log, kept, head: this.#head ?? this.#readHead() });
    }

    #readHead() {
        this.engine?.headers();
        return this.engine?.bytes().slice() ?? new Uint8Array();
    }

    /** @param {Trouble} warning */
    warn(warning) {
        this.#tell(Events.WARNING, warning);
    }

    /** @param {Trouble} failure */
    #fail(failure) {
        if (this.isClosed) return;
        this.#head = this.#readHead();
        this.#stop();
        this.#tell(Events.ERROR, failure);
    }

    /** @param {string} name @param {any} trouble */
    #tell(name, { cause, type, detail, retry, ...info }) {
        this.note(name, cause ?? type, detail, info);
        this.post({ type: Message.Event, name, cause, args: [type, detail, info] });
    }

    note(what, ...details) {
        this.recorder.note(now() - this.#started, what, ...details);
    }

    #event(name, ...args) {
        this.post({ type: Message.Event, name, args });
    }
}

/** What the engine tells of: that which is known here, or its number. @param {Engine} engine @param {Record<number, any>} known @returns {Trouble} */
function troubleOf(engine, known) {
    const number = engine.code();
    return known[number] ?? { cause: { number, value: engine.a(), text: engine.text() } };
}

/** Told in words: nothing more may come over this network. @param {string} detail @param {Engine} engine */
function silence(detail, engine) {
    return networkFailure(detail, 'Silence', `nothing came for ${Math.round(engine.a())} s`);
}

/** Milliseconds on a clock that a page and its workers share. */
export function now() {
    return performance.timeOrigin + performance.now();
}

/** A flag of a report of the playhead. */
export const SEEKING = 2;

/** How often the engine looks around when nothing else happens, ms. */
const TICK_INTERVAL = 100;

/** How long the element may take to tell that it has failed, ms. */
const ELEMENT_PATIENCE = 500;

/** With this much waiting for the engine the source is asked to wait too (fetch can, WebSocket cannot). */
const ENOUGH_EARLY_BYTES = 1 << 20;

/** Most bytes held for an engine that does not come. */
const MAX_EARLY_BYTES = 16 << 20;
