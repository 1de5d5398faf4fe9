import { existsSync } from 'node:fs';

/** Clients from Debian's packages run in the long form and by scripts/interop, where apt is. */
const withDebian = process.env.BAILIWICK_LONG && existsSync('/usr/bin/apt-get');

export default {
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {
        jsc: { parser: { syntax: 'typescript' }, target: 'es2024', experimental: { keepImportAttributes: true } },
        module: { type: 'es6' },
      },
    ],
  },
  globalSetup: '<rootDir>/test/support/global-setup.ts',
  globalTeardown: '<rootDir>/test/support/global-teardown.ts',
  reporters: ['default', '<rootDir>/test/support/reporter.js'],
  maxWorkers: 2,
  testTimeout: 30_000,
  testMatch: ['<rootDir>/test/**/*.test.ts'],
  testPathIgnorePatterns: withDebian ? [] : ['<rootDir>/test/interop/debian-'],
};
