// Server-sent events out of a response's body.

/** Every event as `{type, data}`; `onBytes()` is called whenever anything at all came, comments included. */
export async function* messages(body, onBytes) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    onBytes();
    const blocks = (rest + value).split('\n\n');
    rest = blocks.pop();
    for (const block of blocks) {
      const event = parse(block);
      if (event.data) yield event;
    }
  }
}

function parse(block) {
  const event = { type: 'message', data: '' };
  for (const line of block.split('\n')) {
    const [, field, text] = /^(\w*):? ?(.*)$/.exec(line) ?? [];
    if (field === 'event') event.type = text;
    if (field === 'data') event.data += event.data ? `\n${text}` : text;
  }
  return event;
}
