// A worker of vitest.arm64.config.ts starts other Node.js programs in the emulator, too.
process.execPath = process.env.KARLO_TEST_NODE ?? process.execPath;
