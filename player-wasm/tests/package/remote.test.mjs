// The two ends of an output on the page: which answers count.
import assert from 'node:assert/strict';
import test from 'node:test';
import { Outlet } from '../../js/outlet.js';
import { remoteOutput } from '../../js/remote.js';

class MediaSource extends EventTarget {
    static isTypeSupported = () => true;
    handle = {};
}

test('of an output that was given up only what it says of a type counts', () => {
    globalThis.MediaSource = MediaSource;
    const heard = [];
    const listener = new Proxy({}, { get: (_, call) => (...args) => heard.push([call, ...args]) });
    const asked = [];
    const answers = [];
    const outlet = new Outlet(() => {}, (answer) => answers.push(answer));
    const given = remoteOutput(listener, (message) => asked.push(message));
    given.check(1, 'audio/mpeg');
    const output = remoteOutput(listener, (message) => asked.push(message));
    output.check(0, 'video/mp4');
    const [before, mine] = asked.filter(({ call }) => call === 'open').map(({ args: [number] }) => number);
    asked.forEach((message) => outlet.receive(message));
    for (const answer of answers) output.receive(answer);
    assert.deepEqual(heard.splice(0), [['checked', 1, true], ['checked', 0, true]]);
    for (const number of [before, mine]) output.receive({ number, call: 'finished', args: [number] });
    assert.deepEqual(heard, [['finished', mine]]);
});
