import { defineConfig } from "vitest/config";

// The server's content security policy allows no inline script and no data: script or style,
// so nothing is inlined; everything gets a hashed name below /assets and can be cached for ever.
export default defineConfig({
  build: {
    outDir: "../dist",
    emptyOutDir: true,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    target: "es2022",
  },
  // A zone with changes of offset, so that the tests meet days of 23 and 25 hours.
  test: { include: ["test/**/*.test.ts"], env: { TZ: "Europe/Berlin" } },
});
