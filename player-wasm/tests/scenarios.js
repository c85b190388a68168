/** The playback tests: each function is one, and throws if it fails. */
import { assert, assertEqual, bodyOf, clip, failure, flv, flvHeader, isAudio, live, picturesHeader, play, playsOn, serve, tag, until } from '/tests/harness.js';

export async function plays_live_on_the_page() {
    const scene = play(serve(await live()), { mode: 'main' });
    await scene.played;
    await playsOn(scene, 3);
    const { statistics, media, metadata, frames } = scene.seen;
    assertEqual(scene.player.statisticsInfo.mode, 'main', 'mode');
    assertEqual([media.width, media.height, media.fps], [320, 180, 25], 'picture');
    assertEqual([media.audioSampleRate, media.audioChannelCount], [44100, 2], 'sound');
    assert(/^avc1\./.test(media.videoCodec) && media.audioCodec === 'mp4a.40.2', JSON.stringify(media));
    assertEqual(metadata.width, 320, 'onMetaData');
    assert(statistics.decodedFrames > 10 && frames > 10, `pictures: ${JSON.stringify(statistics)}`);
    assert(statistics.latency > 0 && statistics.latency < 2, `latency: ${statistics.latency}`);
    assert(statistics.videoBitrate > 20, `bitrate: ${statistics.videoBitrate}`);
    assertEqual(scene.seen.warnings, [], 'warnings');
    scene.end();
}

export async function plays_in_a_worker() {
    const scene = play('/testdata/clip.flv', { mode: 'worker' }, { isLive: false });
    await scene.played;
    await playsOn(scene, 2);
    assertEqual(scene.seen.statistics.mode, 'worker', 'mode');
    assert(scene.video.srcObject !== null, 'the element plays a handle');
    assertEqual(scene.seen.media.width, 320, 'width');
    await until(() => scene.seen.completed && scene.video.ended, 'the end of the clip');
    assert(scene.seen.frames > 50, `pictures shown: ${scene.seen.frames}`);
    scene.end();
}

export async function a_worker_that_cannot_start_is_replaced() {
    const url = serve(await live());
    const scene = play(url, { mode: 'worker', workerUrl: '/no/such/worker.js' });
    await playsOn(scene, 1);
    assertEqual(scene.player.statisticsInfo.mode, 'main', 'mode');
    scene.end();
}

export async function plays_from_the_smallest_pieces() {
    const scene = play(serve(await live({ piece: 7 })), { mode: 'main' });
    await playsOn(scene, 1);
    scene.end();
}

export async function plays_pictures_alone() {
    const scene = play(serve(await live({ header: picturesHeader, keep: (tag) => !isAudio(tag) })), { mode: 'main' });
    await playsOn(scene, 1);
    assertEqual([scene.seen.media.hasVideo, scene.seen.media.hasAudio], [true, false], 'tracks');
    scene.end();
}

export async function plays_sound_alone() {
    const scene = play(serve(await live({ keep: isAudio })), { mode: 'main' });
    await until(() => scene.video.currentTime > 1, 'a second of sound');
    assertEqual([scene.seen.media.hasVideo, scene.seen.media.hasAudio], [false, true], 'tracks');
    scene.end();
}

export async function promised_sound_that_comes_late_follows_silence() {
    const keep = (tag) => !isAudio(tag) || tag.time > 3000;
    const scene = play(serve(await live({ keep })), { mode: 'main' });
    await playsOn(scene, 1);
    assert(scene.seen.statistics.audioFilled > 0, `silence: ${JSON.stringify(scene.seen.statistics)}`);
    await until(() => scene.seen.statistics.audioBitrate > 10, 'sound');
    await playsOn(scene, 1);
    assertEqual(scene.seen.errors, [], 'errors');
    scene.end();
}

export async function settles_close_to_live_after_a_stored_group() {
    const scene = play(serve(await live({ behind: 2500 })), { mode: 'main' });
    const close = () => scene.seen.statistics?.latency > 0 && scene.seen.statistics.latency < 0.6 && scene.seen.statistics.playbackRate < 1.2;
    await until(close, `a small latency, now ${JSON.stringify(scene.seen.statistics)}`);
    await playsOn(scene, 1);
    scene.end();
}

export async function plays_on_after_the_network_stood_still() {
    const scene = play(serve(await live({ silence: [2500, 5000] })), { mode: 'main' });
    await until(() => scene.seen.statistics?.stalls > 0, 'the stall');
    await playsOn(scene, 1);
    await until(() => scene.seen.statistics.latency < 0.8, 'being close to live again');
    scene.end();
}

export async function plays_on_when_the_publishers_clock_jumps() {
    const clock = (time) => (time < 2000 ? time + 0x7ffff000 : time + 0x7ffff000 + 3_600_000);
    const scene = play(serve(await live({ clock })), { mode: 'main' });
    await playsOn(scene, 4);
    assert(scene.seen.statistics.discontinuities > 0, 'the jump was seen');
    assert(scene.video.currentTime < 60, `the hour was not played: ${scene.video.currentTime}`);
    scene.end();
}

export async function plays_on_after_noise_between_tags() {
    const noise = (time, last) => (last < 1500 && time >= 1500 ? new Uint8Array(777).fill(0xa5) : undefined);
    const scene = play(serve(await live({ noise })), { mode: 'main' });
    await until(() => scene.seen.warnings.length > 0, 'a warning');
    assertEqual(scene.seen.warnings[0].detail, 'FormatError', 'warning');
    assertEqual(scene.seen.warnings[0].fatal, false, 'fatal');
    await playsOn(scene, 1);
    scene.end();
}

export async function a_decoder_that_fails_gets_another_start() {
    // The picture parameter set says CAVLC where it is CABAC, until the publisher sends the right one.
    const right = (await clip).find(({ kind, isConfig }) => kind === 9 && isConfig).bytes.subarray(11, -4);
    const wrong = right.slice();
    wrong[wrong.lastIndexOf(0x68) + 1] ^= 0x20;
    const replace = (kind, data) => (kind === 9 && data[1] === 0 ? wrong : data);
    const noise = (time, last) => (last < 2000 && time >= 2000 ? tag(9, time, right) : undefined);
    const scene = play(serve(await live({ replace, noise })), { mode: 'main' });
    await until(() => scene.seen.warnings.length > 0, 'a warning');
    const { type, detail, fatal } = scene.seen.warnings[0];
    assertEqual([type, detail, fatal], ['MediaError', 'MediaMSEError', false], 'warning');
    await playsOn(scene, 1);
    assert(scene.seen.statistics.rebuilds > 0, 'rebuilds');
    scene.end();
}

export async function a_decoder_that_always_fails_is_an_error() {
    const replace = (kind, data) => {
        const wrong = data.slice();
        if (kind === 9 && data[1] === 0) wrong[wrong.lastIndexOf(0x68) + 1] ^= 0x20;
        return wrong;
    };
    const scene = play(serve(await live({ replace })), { mode: 'main' });
    const { type, detail, code } = await failure(scene);
    assertEqual([type, detail, code], ['MediaError', 'MediaMSEError', 3], 'error');
    scene.end();
}

export async function a_proper_end_is_told_and_played_to() {
    const scene = play(serve(await live({ end: 2000 }), 404), { mode: 'main' });
    await until(() => scene.seen.completed, 'loading_complete');
    await until(() => scene.video.ended, 'the end');
    assertEqual(scene.seen.errors, [], 'errors');
    scene.end();
}

export async function a_lost_connection_is_an_error() {
    const scene = play(serve(await live({ end: 1500, breaks: true })), { mode: 'main', maxReconnects: 0 });
    const { type, detail, fatal } = await failure(scene);
    assertEqual([type, detail, fatal], ['NetworkError', 'EarlyEof', true], 'error');
    assertEqual(scene.seen.completed, false, 'loading_complete');
    scene.end();
}

export async function a_lost_connection_is_opened_again() {
    const goesOn = await live({ clock: (time) => time + 1500 });
    const scene = play(serve(await live({ end: 1500, breaks: true }), goesOn), { mode: 'main' });
    await until(() => scene.seen.statistics?.reconnects > 0, 'the second connection');
    await playsOn(scene, 1);
    assertEqual([scene.seen.warnings[0].detail, scene.seen.warnings[0].context.step], ['EarlyEof', 'reconnect'], 'warning');
    scene.end();
}

export async function an_empty_answer_is_an_error() {
    const scene = play(serve(bodyOf([flvHeader])), { mode: 'main' });
    const { type, detail } = await failure(scene);
    assertEqual([type, detail], ['NetworkError', 'EarlyEof'], 'error');
    scene.end();
}

export async function what_is_not_flv_is_a_format_error() {
    for (const mode of ['main', 'worker']) {
        const scene = play('/tests/scenarios.js', { mode });
        const { type, detail } = await failure(scene);
        assertEqual([type, detail], ['MediaError', 'FormatError'], mode);
        scene.end();
    }
}

export async function an_unsupported_codec_is_named() {
    const sorenson = [flvHeader, tag(9, 0, [0x12, 0, 0, 0x84]), tag(9, 40, [0x22, 0, 0, 0x84])];
    const scene = play(serve(bodyOf(sorenson)), { mode: 'main' });
    const { type, detail, context } = await failure(scene);
    assertEqual([type, detail, context.codec], ['MediaError', 'CodecUnsupported', 'Sorenson H.263'], 'error');
    scene.end();
}

export async function unsupported_sound_leaves_the_pictures() {
    const body = await live({ keep: (tag) => !isAudio(tag) });
    const speex = tag(8, 0, [0xb2, 1, 2, 3]);
    const withSpeex = (signal) => {
        let first = true;
        const add = (chunk, controller) => {
            controller.enqueue(chunk);
            if (first) controller.enqueue(speex);
            first = false;
        };
        return body(signal).pipeThrough(new TransformStream({ transform: add }));
    };
    const scene = play(serve(withSpeex), { mode: 'main' });
    await playsOn(scene, 1);
    const { detail, context } = scene.seen.warnings[0];
    assertEqual([detail, context.codec], ['CodecUnsupported', 'Speex'], 'warning');
    scene.end();
}

export async function not_found_is_told_alike_for_both_transports() {
    for (const mode of ['main', 'worker']) {
        for (const protocol of ['http:', 'ws:']) {
            const url = new URL('/live/nobody.flv', location.href);
            url.protocol = protocol;
            const scene = play(url.href, { mode });
            const { type, detail, code } = await failure(scene);
            assertEqual([type, detail, code], ['NetworkError', 'HttpStatusCodeInvalid', 404], `${mode} ${protocol}`);
            scene.end();
        }
    }
}

export async function a_refused_connection_is_told() {
    for (const protocol of ['http', 'ws']) {
        const scene = play(`${protocol}://127.0.0.1:9/live/x.flv`, { mode: 'main' });
        const { type, detail, code } = await failure(scene);
        assertEqual([type, detail, code], ['NetworkError', 'Exception', -1], protocol);
        scene.end();
    }
}

export async function an_answer_that_does_not_come_is_told() {
    const never = new Promise(() => {});
    const scene = play(serve(() => never), { mode: 'main', connectTimeout: 200 });
    globalThis.fetch = ((fetch) => (url, options) => (String(url).includes('/slow/') ? never : fetch(url, options)))(globalThis.fetch);
    scene.end();
    const slow = play('/slow/x.flv', { mode: 'main', connectTimeout: 200 });
    const { type, detail } = await failure(slow);
    assertEqual([type, detail], ['NetworkError', 'ConnectingTimeout'], 'error');
    slow.end();
}

export async function a_stream_that_falls_silent_is_told() {
    const config = { mode: 'main', silenceWarningTimeout: 500, silenceTimeout: 2000, maxReconnects: 0 };
    const scene = play(serve(await live({ silence: [1000, 1e9] })), config);
    const { type, detail } = await failure(scene);
    assertEqual([type, detail], ['NetworkError', 'EarlyEof'], 'error');
    assert(scene.seen.warnings.some(({ detail }) => detail === 'Silence'), 'a warning came first');
    scene.end();
}

export async function missing_webassembly_is_told() {
    for (const mode of ['main', 'worker']) {
        const scene = play('/testdata/clip.flv', { mode, wasmUrl: '/no/such.wasm' });
        const { type, msg } = await failure(scene);
        assertEqual(type, 'OtherError', 'error');
        assert(msg.includes('/no/such.wasm: HTTP status 404'), msg);
        scene.end();
    }
}

export async function can_be_unloaded_and_loaded_again() {
    const scene = play(serve(await live()), { mode: 'main' });
    await playsOn(scene, 0.5);
    scene.player.unload();
    assertEqual([scene.video.src, scene.video.srcObject], ['', null], 'element');
    scene.player.load();
    await scene.player.play();
    await playsOn(scene, 0.5);
    scene.player.detachMediaElement();
    scene.player.attachMediaElement(scene.video);
    await scene.player.play();
    await playsOn(scene, 0.5);
    scene.end();
}

export async function can_be_destroyed_at_any_time() {
    const body = await live();
    for (const mode of ['main', 'worker']) {
        for (const wait of [0, 1, 5, 20, 50, 100, 300]) {
            const scene = play(mode === 'main' ? serve(body) : '/testdata/clip.flv', { mode });
            const outcome = scene.played.then(() => 'played', ({ name }) => name);
            await new Promise((resolve) => setTimeout(resolve, wait));
            scene.end();
            scene.player.destroy();
            assert(['played', 'AbortError'].includes(await outcome), `play(): ${await outcome}`);
            const { errors } = scene.seen;
            assertEqual(errors, [], `${mode}, destroyed after ${wait} ms`);
            assertEqual([scene.video.src, scene.video.srcObject], ['', null], 'element');
        }
    }
}

export async function a_listener_may_destroy_the_player() {
    const scene = play('/tests/scenarios.js', { mode: 'main' });
    let told = 0;
    scene.player.on(flv.Events.ERROR, () => {
        told += 1;
        scene.player.destroy();
    });
    await until(() => told > 0, 'the error');
    assertEqual(told, 1, 'errors');
    scene.end();
}

export async function a_paused_player_goes_on_live() {
    const scene = play(serve(await live()), { mode: 'main' });
    await playsOn(scene, 1);
    scene.player.pause();
    await new Promise((resolve) => setTimeout(resolve, 5000));
    await scene.player.play();
    await until(() => scene.seen.statistics.latency < 0.8, 'being close to live again');
    await playsOn(scene, 0.5);
    scene.end();
}

export async function refuses_what_it_cannot_take() {
    const refused = (make) => {
        try {
            make();
            return 'taken';
        } catch (error) {
            return error.name;
        }
    };
    assertEqual(refused(() => flv.createPlayer({ url: 'x' })), 'TypeError', 'type');
    assertEqual(refused(() => flv.createPlayer({ type: 'flv' })), 'TypeError', 'url');
    assertEqual(refused(() => flv.createPlayer({ type: 'flv', url: 'x' }, { mode: 'fast' })), 'TypeError', 'mode');
    assertEqual(flv.isSupported(), true, 'isSupported');
    assertEqual(flv.getFeatureList().workerPlayback, true, 'workerPlayback');
}
