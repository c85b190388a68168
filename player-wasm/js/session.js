/** One load of one stream: source, engine and output. @module */
import { ErrorDetails, mediaFailure, networkFailure, otherFailure, textOf } from './errors.js';
import { Events } from './events.js';
import { explainFault, explainNotice } from './explain.js';
import { MediaOutput } from './output.js';
import { RemoteOutput } from './remote.js';
import initWasm, { Engine, Fault, Info, Notice, Op, Setting, Stat, Track } from './pushpull_player.js';
import { ScriptBuilder } from './script.js';
import { openSource } from './source.js';

export class Session {
    id;
    #post;
    #request;
    #config;
    /** @type {Engine | undefined} */
    #engine;
    /** @type {WebAssembly.Memory} */
    #memory;
    /** @type {ReturnType<typeof openSource> | undefined} */
    #source;
    #output;
    /** @type {ReturnType<typeof setInterval>[]} */
    #timers = [];
    #closed = false;
    /** What came before the engine was there. @type {Uint8Array[]} */
    #early = [];
    #earlyBytes = 0;
    /** Lets a source that was asked to wait go on. */
    #goOn = () => {};
    /** How the source ended, if it did: a failure, or null for a proper end. */
    #sourceEnd;
    /** What the browser last said of a failed append or decoder. @type {import('./errors.js').Failure} */
    #outputFailure;
    #finalUrl = '';
    #metadata;

    /** @param {{id: number, request: import('./source.js').Request, config: object}} load @param {(message: object, transfer?: Transferable[]) => void} post */
    constructor({ id, request, config }, post) {
        this.id = id;
        this.#post = post;
        this.#request = request;
        this.#config = config;
        // The stream is on its way while the WebAssembly is still being compiled.
        this.#source = openSource(request, {
            opened: (url) => {
                this.#finalUrl = url;
            },
            data: (bytes) => this.#receiveData(bytes),
            ended: () => this.#endSource(null),
            failed: (failure) => this.#endSource(failure),
        });
        this.#openOutput();
    }

    /** @param {any} message from the page */
    receive(message) {
        if (message.type === 'wasm') {
            this.#startEngine(message.module).catch((error) => {
                this.#fail(otherFailure(`the player's WebAssembly does not start: ${textOf(error)}`));
            });
        } else if (message.type === 'playhead') {
            const { at, time, rate, flags, decoded, dropped } = message;
            this.#drive((engine) => engine.playhead(at, time, rate, flags, decoded, dropped));
        } else if (message.type === 'output') {
            this.#output.receive(message);
        } else if (message.type === 'element-error') {
            this.#outputFailed(message.code, message.text || 'the browser could not decode the stream');
        }
    }

    close() {
        if (this.#closed) return;
        this.#stop();
        this.#output.close();
    }

    /** Stops everything but the output: what is buffered may be played to its end. */
    #stop() {
        this.#closed = true;
        this.#source?.close();
        this.#goOn();
        this.#early = [];
        for (const timer of this.#timers) clearInterval(timer);
        this.#engine?.free();
        this.#engine = undefined;
    }

    /** @param {WebAssembly.Module} module */
    async #startEngine(module) {
        const { memory } = await initWasm({ module_or_path: module });
        if (this.#closed) return;
        this.#memory = memory;
        const engine = new Engine();
        this.#configure(engine);
        this.#engine = engine;
        this.#timers.push(
            setInterval(() => this.#drive((engine) => engine.tick(now())), TICK_INTERVAL),
            setInterval(() => this.#reportStatistics(), this.#config.statisticsInfoReportInterval),
        );
        if (this.#output.isOpen) this.#drive((engine) => engine.opened(now()));
        for (const bytes of this.#early.splice(0)) this.#feed(bytes);
        this.#earlyBytes = 0;
        this.#goOn();
        if (this.#sourceEnd !== undefined) this.#endSource(this.#sourceEnd);
    }

    /** @param {Engine} engine */
    #configure(engine) {
        const config = this.#config;
        const settings = [
            [Setting.Live, Number(config.isLive)],
            [Setting.HasVideo, Number(config.hasVideo !== false)],
            [Setting.HasAudio, Number(config.hasAudio !== false)],
            [Setting.TargetLatency, config.targetLatency],
            [Setting.MaxTargetLatency, config.maxTargetLatency],
            [Setting.MaxPlaybackRate, config.maxPlaybackRate],
            [Setting.BackBuffer, config.backBuffer],
            [Setting.SilenceWarning, config.silenceWarningTimeout / 1000],
            [Setting.SilenceLimit, config.silenceTimeout / 1000],
        ];
        for (const [setting, value] of settings) {
            if (typeof value === 'number' && Number.isFinite(value)) engine.set(setting, value);
        }
    }

    /** @param {Uint8Array} bytes @returns {Promise<void> | undefined} */
    #receiveData(bytes) {
        if (this.#engine) {
            this.#feed(bytes);
            if (this.#engine?.wants_data() !== false) return undefined;
        } else {
            this.#early.push(bytes);
            this.#earlyBytes += bytes.length;
            if (this.#earlyBytes < ENOUGH_EARLY_BYTES) return undefined;
            if (this.#earlyBytes > MAX_EARLY_BYTES) {
                this.#fail(otherFailure("the player's WebAssembly takes too long to load"));
                return undefined;
            }
        }
        return new Promise((resolve) => {
            this.#goOn = resolve;
        });
    }

    /** @param {Uint8Array} bytes */
    #feed(bytes) {
        this.#drive((engine) => {
            const at = engine.reserve(bytes.length);
            new Uint8Array(this.#memory.buffer, at, bytes.length).set(bytes);
            engine.commit(bytes.length, now());
        });
    }

    #endSource(failure) {
        this.#sourceEnd = failure;
        if (this.#engine) this.#drive((engine) => engine.source_ended(failure === null, false, now()));
        else if (failure) this.#fail(failure);
    }

    #openOutput() {
        const listener = {
            opened: () => this.#drive((engine) => engine.opened(now())),
            checked: (track, playable) => this.#drive((engine) => engine.type_checked(track, playable, now())),
            finished: (track) => this.#drive((engine) => engine.finished(track, now())),
            failed: (track, full, text) => this.#refuse(track, full, text),
        };
        if (this.#config.mode === 'transmux') {
            this.#output = new RemoteOutput(listener, this.#post);
            return;
        }
        this.#output = new MediaOutput(listener);
        const { handle, ...rest } = this.#output.attachment;
        this.#post({ type: 'attach', handle, ...rest }, handle && [handle]);
    }

    /** The output could not begin what it was asked for. */
    #refuse(track, full, text) {
        if (full) {
            this.#drive((engine) => engine.refused(track));
            return;
        }
        // Mostly because the element has failed, which it is about to tell better itself.
        const output = this.#output;
        setTimeout(() => this.#output === output && this.#outputFailed(-1, text), ELEMENT_PATIENCE);
    }

    #outputFailed(code, msg) {
        this.#outputFailure = mediaFailure(ErrorDetails.MEDIA_MSE_ERROR, code, msg);
        this.#drive((engine) => engine.output_failed(now()));
    }

    /** Tells the engine something and carries out what it wants. @param {(engine: Engine) => void} tell */
    #drive(tell) {
        if (!this.#engine) return;
        try {
            tell(this.#engine);
            while (this.#engine && this.#carryOut(this.#engine.poll(now()), this.#engine));
            if (this.#engine?.wants_data()) this.#goOn();
        } catch (error) {
            // A trap leaves the engine unusable, freeing it included.
            if (error instanceof WebAssembly.RuntimeError) this.#engine = undefined;
            this.#fail(otherFailure(`internal error: ${textOf(error)}`));
        }
    }

    /** @param {Op} op @param {Engine} engine @returns {boolean} whether there may be more */
    #carryOut(op, engine) {
        const output = this.#output;
        switch (op) {
            case Op.None:
                return false;
            case Op.CheckType:
                output.check(engine.track(), engine.text());
                break;
            case Op.AddTrack:
                output.addTrack(engine.track(), engine.text());
                break;
            case Op.ChangeType:
                output.changeType(engine.track(), engine.text());
                break;
            case Op.Append:
                output.append(engine.track(), new Uint8Array(this.#memory.buffer, engine.ptr(), engine.byte_len()));
                break;
            case Op.Remove:
                output.remove(engine.track(), engine.a(), engine.b());
                break;
            case Op.Seek:
                this.#post({ type: 'seek', time: engine.a() });
                break;
            case Op.Rate:
                this.#post({ type: 'rate', rate: engine.a() });
                break;
            case Op.MediaInfo:
                this.#reportMediaInfo(engine);
                break;
            case Op.Script:
                this.#reportScript(engine);
                break;
            case Op.Rebuild:
                output.close();
                this.#openOutput();
                break;
            case Op.Notice:
                this.#warn(engine.code() === Notice.Output ? this.#outputFailure : explainNotice(engine.code(), engine.a(), engine.text()));
                break;
            case Op.Fault:
                this.#fail(this.#known(engine.code()) ?? explainFault(engine.code(), engine.a(), engine.text()));
                break;
            case Op.Complete:
                output.end();
                this.#event(Events.LOADING_COMPLETE);
                break;
            default:
                throw new Error(`unknown command ${op}`);
        }
        return true;
    }

    /** The failure behind a fault that began on this side. @param {number} fault one of {@link Fault} */
    #known(fault) {
        return { [Fault.Source]: this.#sourceEnd, [Fault.Output]: this.#outputFailure }[fault];
    }

    /** @param {Engine} engine */
    #reportMediaInfo(engine) {
        const known = (info) => {
            const value = engine.info(info);
            return Number.isNaN(value) ? undefined : value;
        };
        const has = (track) => engine.has_track(track);
        const [videoCodec, audioCodec] = [engine.codec(Track.Video), engine.codec(Track.Audio)];
        const codecs = [videoCodec, audioCodec].filter(Boolean).join(',');
        this.#event(Events.MEDIA_INFO, {
            mimeType: `video/x-flv; codecs="${codecs}"`,
            hasVideo: has(Track.Video),
            hasAudio: has(Track.Audio),
            videoCodec: videoCodec || undefined,
            audioCodec: audioCodec || undefined,
            width: known(Info.Width),
            height: known(Info.Height),
            fps: known(Info.Fps),
            profile: known(Info.Profile),
            level: known(Info.Level),
            refFrames: known(Info.RefFrames),
            chromaFormat: known(Info.ChromaFormat),
            sarNum: known(Info.SarNum),
            sarDen: known(Info.SarDen),
            audioSampleRate: known(Info.SampleRate),
            audioChannelCount: known(Info.Channels),
            videoDataRate: this.#metadata?.videodatarate,
            audioDataRate: this.#metadata?.audiodatarate,
            metadata: this.#metadata,
            hasKeyframesIndex: false,
            segmentCount: 1,
        });
    }

    /** @param {Engine} engine */
    #reportScript(engine) {
        const name = engine.text();
        const builder = new ScriptBuilder();
        engine.script(builder);
        if (name === 'onMetaData') {
            this.#metadata = builder.value;
            this.#event(Events.METADATA_ARRIVED, builder.value);
        }
        this.#event(Events.SCRIPTDATA_ARRIVED, { [name]: builder.value });
    }

    #reportStatistics() {
        const engine = this.#engine;
        if (!engine) return;
        const at = now();
        const stat = (which) => engine.stat(which, at);
        const { url } = this.#request;
        this.#event(Events.STATISTICS_INFO, {
            playerType: 'FlvPlayer',
            url,
            hasRedirect: this.#finalUrl !== '' && this.#finalUrl !== url,
            redirectedURL: this.#finalUrl || undefined,
            loaderType: this.#source?.transport === 'websocket' ? 'websocket-loader' : 'fetch-stream-loader',
            transport: this.#source?.transport,
            currentSegmentIndex: 0,
            totalSegmentCount: 1,
            speed: stat(Stat.Speed) / 1024,
            decodedFrames: stat(Stat.Decoded),
            droppedFrames: stat(Stat.Dropped),
            latency: stat(Stat.Latency),
            targetLatency: stat(Stat.TargetLatency),
            jitter: stat(Stat.Jitter),
            buffered: stat(Stat.Buffered),
            currentTime: stat(Stat.Position),
            playbackRate: stat(Stat.PlaybackRate),
            fps: stat(Stat.Fps),
            videoBitrate: (stat(Stat.VideoRate) * 8) / 1000,
            audioBitrate: (stat(Stat.AudioRate) * 8) / 1000,
            width: engine.info(Info.Width) || 0,
            height: engine.info(Info.Height) || 0,
            appends: stat(Stat.Appends),
            stalls: stat(Stat.Stalls),
            jumps: stat(Stat.Jumps),
            nudges: stat(Stat.Nudges),
            rebuilds: stat(Stat.Rebuilds),
            skippedFrames: stat(Stat.Skipped),
            resyncs: stat(Stat.Resyncs),
            badTags: stat(Stat.BadTags),
            discontinuities: stat(Stat.Discontinuities),
            audioFramesInserted: stat(Stat.SilenceInserted),
            audioFramesDropped: stat(Stat.SoundDropped),
        });
    }

    /** @param {import('./errors.js').Failure} warning */
    #warn({ type, detail, ...info }) {
        this.#event(Events.WARNING, type, detail, { ...info, fatal: false });
    }

    /** @param {import('./errors.js').Failure} failure */
    #fail({ type, detail, ...info }) {
        if (this.#closed) return;
        this.#stop();
        this.#event(Events.ERROR, type, detail, { ...info, fatal: true });
    }

    #event(name, ...args) {
        this.#post({ type: 'event', name, args });
    }
}

/** Milliseconds on a clock that a page and its workers share. */
function now() {
    return performance.timeOrigin + performance.now();
}

/** How often the engine looks around when nothing else happens, ms. */
const TICK_INTERVAL = 100;

/** How long the element may take to tell that it has failed, ms. */
const ELEMENT_PATIENCE = 500;

/** With this much waiting for the engine the source is asked to wait too (fetch can, WebSocket cannot). */
const ENOUGH_EARLY_BYTES = 1 << 20;

/** Most bytes held for an engine that does not come. */
const MAX_EARLY_BYTES = 16 << 20;
