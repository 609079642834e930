import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { parseConfig } from '../../../src/config.ts';
import { SECRET } from './receiver.ts';

const endpoint = { url: 'https://example.com/hooks', secrets: [SECRET] };

/** The errors of a configuration with such a sink; empty when there are none. */
function errorsOf(sink: object): string {
  const text = stringify({
    source: { type: 'file', inputs: ['x.jsonl'] },
    sinks: {
      hooks: { type: 'webhooks', redis: 'redis://localhost:6379', endpoints: { acme: endpoint }, ...sink },
    },
  });
  try {
    parseConfig(text, 'c.yaml');
    return '';
  } catch (error) {
    return (error as Error).message;
  }
}
const urlError = (url: string, more: object = {}) =>
  errorsOf({ endpoints: { acme: { ...endpoint, url } }, ...more });

describe('webhooks configuration', () => {
  it('has defaults for all but Redis, URL and secret', () => {
    expect(errorsOf({})).toBe('');
    const { sinks } = parseConfig(
      stringify({
        source: { type: 'file', inputs: ['x.jsonl'] },
        sinks: { hooks: { type: 'webhooks', redis: 'redis://localhost', endpoints: { acme: endpoint } } },
      }),
      'c.yaml',
    );
    expect(sinks['hooks']).toMatchObject({
      deliver: 'in_run',
      remember: 3 * 86_400_000,
      retry: [5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400].map((seconds) => seconds * 1000),
      allow_http: false,
      allow_private: false,
      endpoints: {
        acme: { actions: ['review', 'block'], batch: { size: 1 }, concurrency: 8, timeout: 15_000 },
      },
    });
  });

  it.each([
    [
      'http://example.com/',
      /c\.yaml:\d+:\d+ sinks\.hooks\.endpoints\.acme\.url: expected an https URL.*allow_http/,
    ],
    ['ftp://example.com/', /expected an https URL, got ftp:/],
    ['example.com', /expected a URL such as https/],
    ['https://user:hidden@example.com/', /without user name and password/],
    ['https://example.com/#part', /fragment/],
    ['https://10.0.0.1/', /expected a public address, got 10\.0\.0\.1.*allow_private/],
    ['https://169.254.169.254/latest', /expected a public address/],
    ['https://[::1]/', /expected a public address, got ::1/],
    ['https://[::ffff:10.0.0.1]/', /expected a public address/],
    ['https://0x7f000001/', /expected a public address, got 127\.0\.0\.1/],
    ['https://0177.1/', /expected a public address, got 127\.0\.0\.1/],
    ['https://2130706433/', /expected a public address, got 127\.0\.0\.1/],
    ['https://0/', /expected a public address, got 0\.0\.0\.0/],
    ['https://[64:ff9b::a00:1]/', /expected a public address/],
  ])('refuses %s', (url, expected) => {
    expect(urlError(url)).toMatch(expected);
    expect(urlError(url)).not.toContain('hidden');
  });

  it('allows http and private blocks where it is told so', () => {
    expect(urlError('http://10.0.0.1/', { allow_http: true, allow_private: ['10.0.0.0/8'] })).toBe('');
    expect(urlError('http://10.0.0.1/', { allow_http: true, allow_private: ['192.168.0.0/16'] })).toMatch(
      /public address/,
    );
    expect(errorsOf({ allow_private: ['10.0.0.0'] })).toMatch(/blocks such as 10\.0\.0\.0\/8/);
    expect(errorsOf({ allow_private: true })).toMatch(/allow_private/);
  });

  it.each([
    ['not base64', 'whsec_%%%'],
    ['short', `whsec_${Buffer.alloc(23).toString('base64')}`],
    ['long', `whsec_${Buffer.alloc(65).toString('base64')}`],
    ['without its prefix', Buffer.alloc(32).toString('base64')],
    ['a number', 12345678901234],
  ])('refuses a secret that is %s, without showing it', (_name, secret) => {
    const error = errorsOf({ endpoints: { acme: { ...endpoint, secrets: [SECRET, secret] } } });
    expect(error).toMatch(
      /sinks\.hooks\.endpoints\.acme\.secrets\.1: expected a secret: whsec_ and 24 to 64 random bytes/,
    );
    expect(error).not.toContain(String(secret));
  });

  it('refuses two endpoints that are one, names, headers and Redis URLs that cannot be', () => {
    const twice = {
      acme: endpoint,
      again: { ...endpoint, url: 'https://EXAMPLE.com:443/hooks', actions: ['block', 'review'] },
    };
    expect(errorsOf({ endpoints: twice })).toMatch(
      /endpoints\.again: expected another URL or filter than those of acme/,
    );
    expect(errorsOf({ endpoints: { ...twice, again: { ...twice.again, customers: ['x'] } } })).toBe('');
    expect(errorsOf({ endpoints: { 'Not.Good': endpoint } })).toMatch(
      /lower-case letters, digits and dashes/,
    );
    expect(errorsOf({ endpoints: {} })).toMatch(/at least one endpoint/);
    expect(errorsOf({ endpoints: { acme: { ...endpoint, headers: { 'Webhook-Id': 'x' } } } })).toMatch(
      /another header/,
    );
    const split = errorsOf({ endpoints: { acme: { ...endpoint, headers: { a: 'hidden\r\nb: c' } } } });
    expect(split).toMatch(/printable ASCII/);
    expect(split).not.toContain('hidden');
    const redis = errorsOf({ redis: 'http://user:hidden@localhost' });
    expect(redis).toMatch(/sinks\.hooks\.redis: expected redis:\/\/host:port/);
    expect(redis).not.toContain('hidden');
    expect(errorsOf({ endpoint: {} })).toMatch(/unknown key.*endpoints/);
  });
});
