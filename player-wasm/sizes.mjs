// Bytes of the package as a browser gets them (brotli at its strongest), beside size-budget.json.
// The first group of the budget is what every page that plays a live stream downloads.
import { readFileSync } from 'node:fs';
import { brotliCompressSync, constants } from 'node:zlib';

const here = new URL('./', import.meta.url);
const quality = { params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_LGWIN]: 22 } };

/** @param {string} name of a file of the package */
function packed(name) {
    return brotliCompressSync(readFileSync(new URL(`pkg/${name}`, here)), quality).length;
}

/** @returns {{name: string, size: number, budget: number}[]} each file of the budget and each sum */
export function sizes() {
    const lines = [];
    for (const [group, { total, files }] of Object.entries(JSON.parse(readFileSync(new URL('size-budget.json', here), 'utf8')))) {
        const found = Object.entries(files).map(([name, budget]) => ({ name, size: packed(name), budget: Number(budget) }));
        lines.push(...found, { name: group, size: found.reduce((sum, { size }) => sum + size, 0), budget: total });
    }
    return lines;
}

if (import.meta.filename === process.argv[1]) {
    console.log('    brotli   budget');
    for (const { name, size, budget } of sizes()) {
        console.log(`  ${String(size).padStart(8)} ${String(budget).padStart(8)}  ${name}${size > budget ? '  TOO LARGE' : ''}`);
    }
}
