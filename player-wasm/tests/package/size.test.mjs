// The package is not larger than size-budget.json allows. Who makes it smaller lowers the budget.
import assert from 'node:assert/strict';
import test from 'node:test';
import { sizes } from '../../sizes.mjs';

for (const { name, size, budget } of sizes()) {
    test(`${name}: at most ${budget} bytes of brotli`, () => assert.ok(size <= budget, `${size} bytes`));
}
