import { describe, expect, test } from '@jest/globals';
import { readConfig } from '../../src/config.ts';

const allowed = (value: string) => readConfig({ DIRECTORY_ALLOWED_ORIGINS: value }).directoryAllowedOrigins;

describe('SES-13: the configured origins', () => {
  test('are none unless named, and each as a browser sends it', () => {
    expect(readConfig({}).directoryAllowedOrigins).toEqual([]);
    expect(allowed('https://app.example, http://localhost:5173')).toEqual([
      'https://app.example',
      'http://localhost:5173',
    ]);
  });

  test.each([
    '*',
    'null',
    'https://*.example',
    'https://app.example/',
    'app.example',
    'https://APP.example',
    'file:///x',
  ])('%s is refused: it would match nothing, or everything', (value) => {
    expect(() => allowed(value)).toThrow('DIRECTORY_ALLOWED_ORIGINS');
  });
});
