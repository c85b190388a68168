// Nothing to set up: webpack 5 finds the player's worker and its WebAssembly by itself.
export default {
  mode: 'production',
  entry: './main.js',
};
