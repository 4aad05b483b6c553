import * as root from 'pg-coordinate';
import { errorRegistry, type ErrorCode } from 'pg-coordinate';
import { describe, expect, test } from 'vitest';
import { errorFromBody, errorToBody } from '../../../src/rest/wire/index.js';
import { errorOf } from '../../../src/rest/wire/error-of.js';

const codes = Object.keys(errorRegistry) as ErrorCode[];

describe('an error on the wire', () => {
  test.each(codes)('%s is raised again as itself', (code) => {
    const holes = [...errorRegistry[code].text.matchAll(/\{(\w+)\}/g)].map(([, hole]) => hole!);
    const details = Object.fromEntries(holes.map((hole) => [hole, ['attempts', 'limitMs', 'timeoutMs', 'limit'].includes(hole) ? 7 : `its ${hole}`]));
    if (code === 'HandlerCrashed') details.place = 'thread';
    const error = errorOf(code, details);
    const again = errorFromBody(JSON.parse(JSON.stringify(errorToBody(error))) as Record<string, unknown>);
    expect(again.constructor).toBe((root as Record<string, unknown>)[`${code}Error`]);
    expect(again).toMatchObject({ code, message: error.message, details });
  });

  test('has the members that existing clients read', () => {
    expect(errorToBody(new root.NoSuchWorkSpecError('x'))).toMatchObject({ error: 'ErrNoSuchWorkSpec', message: 'No such work spec x', value: 'x' });
    expect(errorToBody(new root.NoSuchWorkUnitError('x'))).toMatchObject({ error: 'ErrNoSuchWorkUnit', message: 'No such work unit "x"', value: 'x' });
    expect(errorToBody(new root.LostLeaseError())).not.toHaveProperty('value');
    expect(errorToBody(new root.NoSuchAttemptError())).toMatchObject({ error: 'error', message: 'no such attempt' });
  });

  test.each([
    [{ error: 'ErrNoSuchWorkUnit', message: 'No such work unit "x"', value: 'x' }, new root.NoSuchWorkUnitError('x')],
    [{ error: 'ErrLostLease', message: 'No longer the active attempt' }, new root.LostLeaseError()],
    [{ error: 'error', message: 'no such attempt' }, new root.ServerFailureError('no such attempt')],
    [{ error: 'panic', message: 'index out of range', stack: '…' }, new root.ServerFailureError('index out of range')],
    [{ error: 7, message: 7, code: 'toString', details: 'none' }, new root.ServerFailureError('7')],
    [{}, new root.ServerFailureError('undefined')],
  ])('of another server is understood: %j', (body, error) => {
    expect(errorFromBody(body)).toEqual(error);
  });
});
