// Counts what reaches the SourceBuffers, in a page or a worker; runs before the player's own code there. Whoever asks on
// the channel is told, so that counting costs nothing but a number per append.
(() => {
    const counts = { appends: 0, appended: 0 };
    const memories = new Set();
    globalThis.benchCounts = counts;

    const buffers = globalThis.SourceBuffer?.prototype;
    if (buffers) {
        const append = buffers.appendBuffer;
        buffers.appendBuffer = function (bytes) {
            counts.appends += 1;
            counts.appended += bytes.byteLength;
            return append.call(this, bytes);
        };
    }

    for (const name of ['instantiate', 'instantiateStreaming']) {
        const instantiate = WebAssembly[name];
        WebAssembly[name] = async (...args) => {
            const made = await instantiate.apply(WebAssembly, args);
            const { memory } = (made.instance ?? made).exports;
            if (memory) memories.add(memory);
            return made;
        };
    }

    const channel = new BroadcastChannel('bench-counts');
    channel.onmessage = ({ data }) => {
        if (data !== 'ask') return;
        const wasm = [...memories].reduce((sum, memory) => sum + memory.buffer.byteLength, 0);
        channel.postMessage({ ...counts, wasm });
    };
})();
