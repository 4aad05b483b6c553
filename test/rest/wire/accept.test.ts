import { describe, expect, test } from 'vitest';
import { chooseType, formatOfContentType } from '../../../src/rest/wire/index.js';

const v1 = 'application/vnd.diffeo.coordinate.v1+json';

describe('the Accept header', () => {
  test.each([
    [undefined, v1],
    ['', v1],
    ['*/*', v1],
    ['application/*', v1],
    ['text/*', 'text/json'],
    [v1, v1],
    ['application/json', 'application/json'],
    ['Application/JSON; charset=utf-8', 'application/json'],
    ['application/vnd.diffeo.coordinate+json', 'application/vnd.diffeo.coordinate+json'],
    ['text/json, application/json', 'text/json'],
    ['text/*, application/json', 'application/json'],
    ['*/*, text/*', 'text/json'],
    ['text/json;q=0.5, application/json;q=0.6', 'application/json'],
    ['application/json;q=0.5, */*', v1],
    ['text/html, application/xhtml+xml, application/xml;q=0.9, */*;q=0.8', v1],
    ['text/html, application/json;q=0', undefined],
    [`${v1};q=0, */*`, 'application/vnd.diffeo.coordinate+json'],
    ['application/cbor', 'application/cbor'],
    ['application/json;q=0.9, application/cbor', 'application/cbor'],
    ['text/html', undefined],
    ['text/plain; title="a, application/json"', undefined],
    ['*/*;q=0', undefined],
  ])('%j means %s', (header, type) => {
    if (type === undefined) expect(() => chooseType(header)).toThrow(expect.objectContaining({ code: 'NotAcceptable', status: 406 }));
    else expect(chooseType(header)).toBe(type);
  });

  test.each(['json', '*/json', 'text/json;q=2', 'text/json;q=-1', 'text/json;q=high', 'text/json;q=', 'a/b/c', 'text /json'])(
    '%j is refused',
    (header) => {
      expect(() => chooseType(header)).toThrow(expect.objectContaining({ code: 'MalformedRequest', status: 400 }));
    },
  );
});

describe('the Content-Type header', () => {
  test.each([v1, 'application/vnd.diffeo.coordinate+json', 'application/json; charset=utf-8', 'TEXT/JSON'])('%s is JSON', (type) => {
    expect(formatOfContentType(type)).toBe('json');
  });

  test('application/cbor is CBOR', () => {
    expect(formatOfContentType('application/cbor')).toBe('cbor');
  });

  test.each([
    [undefined, ''],
    ['text/plain', 'text/plain'],
    ['application/x-www-form-urlencoded; charset=utf-8', 'application/x-www-form-urlencoded'],
  ])('%s is not supported', (type, named) => {
    expect(() => formatOfContentType(type)).toThrow(`Unsupported media type "${named}"`);
  });
});
