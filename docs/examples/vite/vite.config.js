export default {
  // For `vite dev`: bundled beforehand, the player would not find its worker and its WebAssembly.
  optimizeDeps: { exclude: ['pushpull-player'] },
};
