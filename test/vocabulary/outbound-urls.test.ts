import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { urlProblem } from '../../src/vocabulary/outbound-urls.ts';
import { isPublicAddress } from '../../src/vocabulary/public-addresses.ts';

describe('a URL that somebody wrote down to be fetched', () => {
  test.each([
    ...['https://keys.example.com/jwks', 'https://keys.example.com:8443/a?b=c', 'https://1.1.1.1/jwks'],
    ...['https://[2606:4700:4700::1111]/', 'HTTPS://Keys.Example.COM/', 'https://xn--bcher-kva.example/'],
  ])('may be %s', (url) => {
    expect(urlProblem(url)).toBeUndefined();
  });

  test.each([
    ...['file:///etc/passwd', 'gopher://keys.example.com/', 'ftp://keys.example.com/', 'data:application/json,{}'],
    ...['unix:/run/docker.sock', 'http://keys.example.com/', 'jar:https://keys.example.com/!/', 'javascript:alert(1)'],
    ...['https:keys.example.com', 'https:///keys.example.com', 'https:\\\\keys.example.com', '//keys.example.com', ''],
    ...['https://user:pass@keys.example.com/', 'https://@keys.example.com/', 'https://keys.example.com@evil.example/'],
    ...['https://keys.example.com/\r\nHost: x', 'https://keys.example.com/\tx', ' https://keys.example.com/'],
    ...['https://keys.example.com/#x', 'https://keys.example.com:22/', 'https://keys.example.com:0/'],
    ...['https://keys.example.com:99999/', 'https://bücher.example/', `https://keys.example.com/${'a'.repeat(2_048)}`],
  ])('SRF-05: may not be %j', (url) => {
    expect(urlProblem(url)).toMatch(/^(is|has) /);
  });

  test.each([
    ...['127.0.0.1', '127.1', '2130706433', '0x7f.0.0.1', '0x7f000001', '0177.0.0.1', '127.0.0.1.', '0', '0.0.0.0'],
    ...['10.1.2.3', '172.16.0.1', '172.31.255.255', '192.168.1.1', '169.254.169.254', '0xA9FEA9FE', '100.100.100.200'],
    ...['168.63.129.16', '192.0.0.192', '224.0.0.1', '255.255.255.255', '[::1]', '[::]', '[::ffff:7f00:1]'],
    ...['[::ffff:169.254.169.254]', '[64:ff9b::7f00:1]', '[64:ff9b:1::7f00:1]', '[2002:7f00:1::]', '[2001::1]'],
    ...['[fe80::1]', '[fd00:ec2::254]', '[ff02::1]', '[2001:db8::1]', '１２７.0.0.1', '127。0。0。1'],
    ...['localhost', 'LOCALHOST', 'localhost.', 'a.localhost', 'metadata.google.internal', 'printer.local', 'intranet'],
    ...['keys.example.com.', 'x.home.arpa', 'router.lan', '*.example.com', 'a..example.com'],
  ])('SRF-01: may not name the host %s', (host) => {
    expect(urlProblem(`https://${host}/jwks`)).toMatch(/^(is|has) /);
  });

  test('never is what the parser understands otherwise than it is written', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const written = `https://${text}`;
        if (urlProblem(written) !== undefined) return;
        const url = new URL(written);
        expect([url.protocol, url.username, url.password, url.hash]).toEqual(['https:', '', '', '']);
        expect(url.host).toBe(
          text
            .split(/[/?]/)[0]
            ?.toLowerCase()
            .replace(/:443$|:$/, ''),
        );
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('a public address', () => {
  test.each([
    '1.1.1.1',
    '8.8.8.8',
    '172.15.0.1',
    '172.32.0.1',
    '192.0.1.1',
    '223.255.255.255',
    '2606:4700::1',
    '2a00::1',
  ])('is %s', (address) => {
    expect(isPublicAddress(address)).toBe(true);
  });

  test('is no IPv4 address in IPv6 clothes, whichever', () => {
    fc.assert(
      fc.property(fc.ipV4(), fc.constantFrom('::ffff:', '::', '64:ff9b::', '::ffff:0:'), (address, prefix) => {
        expect(isPublicAddress(`${prefix}${address}`)).toBe(false);
      }),
    );
  });

  test.each(['', 'localhost', '1.1.1', '1.1.1.1.', '2606:4700::1%eth0', '[2606:4700::1]'])('is not %j', (address) => {
    expect(isPublicAddress(address)).toBe(false);
  });
});
