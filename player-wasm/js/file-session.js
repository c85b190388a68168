/** One load of one file: it has a length, and places to go to. @module */
import { Track } from './engine.js';
import { FileConnection } from './file-connection.js';
import { Message } from './messages.js';
import { now, SEEKING, Session } from './session.js';

export class FileSession extends Session {
    /** Where the playhead was moved to and reading goes on. @type {number | undefined} */
    #target;

    /** @returns {any} */
    connect(request, config, sink, parts) {
        return new FileConnection(request, config, sink, parts);
    }

    /** @param {number[]} report */
    moved(report) {
        const [, time, , flags] = report;
        // Where the playhead is to go is no place yet: what it leaves would be removed.
        if (!(flags & SEEKING) || time === this.#target) super.moved(report);
    }

    openOutput() {
        super.openOutput();
        if (this.duration) this.output.setDuration(this.duration);
    }

    /** @param {any} value */
    described(value) {
        super.described(value);
        const { duration } = this.config;
        const seconds = duration > 0 ? duration / 1000 : Number(value?.duration);
        if (!(seconds > 0) || this.duration) return;
        this.duration = seconds;
        this.output.setDuration(seconds);
    }

    /** Somebody moved the playhead to where nothing is buffered. @param {number} time */
    async seek(time) {
        const { engine, metadata, duration, position, recorder } = this;
        if (!engine || !recorder.isSettled) return;
        const known = { keyframes: metadata?.keyframes, duration, hasVideo: engine.has_track(Track.Video) };
        const failure = await this.connection.seek(time, known, () => {
            this.sourceEnd = undefined;
            this.#target = time;
            recorder.forget();
            this.note('seek', time);
            this.drive((engine) => engine.seek(time, now()));
        });
        if (!failure || this.isClosed) return;
        this.warn(failure);
        this.post({ type: Message.Seek, time: position });
    }
}
