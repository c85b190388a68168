// Writes the package's JavaScript: node bundle.mjs <sources> <package> <folder of esbuild> [<folder of terser>]
//
// What is always needed together becomes one file, for the page and for the worker; what is loaded only
// when it is needed (`import('./x.js')`, `new URL('./x.js', import.meta.url)`) stays a file beside them.
// All of it without comments and long names, and with the values where enumerations stand: those of the engine, of
// errors, of events and of messages.
import { readFile, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { shortNames } from './names.mjs';

const [, , from, to, ...tools] = process.argv;
const [{ build }, terser] = tools.map((folder) => createRequire(import.meta.url)(resolve(folder)));

/** Files of the package that pages and bundlers name. */
const NAMED = ['index.js', 'element.js', 'worker.js', 'worker-live.js'];

/** A module that another file of the package has already: there must not be two of its state. */
const ELSEWHERE = { 'element.js': { 'player.js': 'index.js' } };

const enumerations = {};
for (const name of ['engine.js', 'errors.js', 'events.js', 'messages.js']) {
    for (const [key, value] of Object.entries(await import(pathToFileURL(resolve(from, name))))) {
        if (typeof value === 'object') enumerations[key] = value;
    }
}
const inCode = new RegExp(`\\b(${Object.keys(enumerations).join('|')})\\.([A-Z]\\w*)\\b`, 'g');

const wanted = [...NAMED];
for (const entry of wanted) {
    const also = (name) => wanted.includes(name) || wanted.push(name);
    const modules = {
        name: 'modules of the package',
        setup({ onResolve, onLoad }) {
            onResolve({ filter: /^\.\// }, ({ path, kind }) => {
                if (kind === 'entry-point') return undefined;
                const name = ELSEWHERE[entry]?.[basename(path)] ?? basename(path);
                if (kind === 'dynamic-import') also(name);
                return kind === 'dynamic-import' || name !== basename(path) ? { path: `./${name}`, external: true } : undefined;
            });
            onLoad({ filter: /\.js$/ }, async ({ path }) => {
                const text = await readFile(path, 'utf8');
                const code = text.replace(/\/\*[^]*?\*\//g, '');
                for (const [, name] of code.matchAll(/new URL\('\.\/([\w-]+\.js)'/g)) also(name);
                return { contents: text.replace(inCode, (all, list, name) => JSON.stringify(enumerations[list][name]) ?? all) };
            });
        },
    };
    const { outputFiles } = await build({
        entryPoints: [join(from, entry)],
        write: false,
        bundle: true,
        format: 'esm',
        target: 'es2022',
        minify: true,
        mangleProps: new RegExp(`^(${Object.keys(shortNames).join('|')})$`),
        mangleCache: { ...shortNames },
        legalComments: 'none',
        logLevel: 'warning',
        plugins: [modules],
    });
    const [{ text }] = outputFiles;
    const smaller = await terser?.minify(text, { module: true, ecma: 2022, compress: { passes: 2 } });
    await writeFile(join(to, entry), smaller?.code ?? text);
}
