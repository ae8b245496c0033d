/** The device that tests of networks, pipeline and server run on: `cpu`, or that of a Vitest project. */
export const testDevice = process.env.KARLO_TEST_DEVICE ?? 'cpu';
