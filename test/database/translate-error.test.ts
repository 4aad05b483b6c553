import pg from 'pg';
import {
  CannotConnectError,
  ConnectionLostError,
  GoneError,
  InvalidArgumentError,
  LostLeaseError,
  SchemaMissingError,
} from 'pg-coordinate';
import { describe, expect, test } from 'vitest';
import { isConnectionLoss, isRetryable, sqlState, translateConnectError, translateError } from '../../src/database/translate-error.js';

function databaseError(code: string, message = 'the server says so'): pg.DatabaseError {
  return Object.assign(new pg.DatabaseError(message, 0, 'error'), { code });
}

function systemError(code: string): Error {
  return Object.assign(new Error(`connect ${code} 127.0.0.1:5432`), { code });
}

describe('sqlState', () => {
  test.each([
    [databaseError('40001'), '40001'],
    [databaseError('PC001'), 'PC001'],
    [{ code: '23505' }, '23505'],
    [systemError('ECONNRESET'), undefined],
    // Of Node, though it has as many letters as one of PostgreSQL's.
    [systemError('EPIPE'), undefined],
    [{ code: 40001 }, undefined],
    [{ code: '4000' }, undefined],
    [{}, undefined],
    ['40001', undefined],
    [null, undefined],
    [undefined, undefined],
  ])('of %s is %s', (error, state) => {
    expect(sqlState(error)).toBe(state);
  });
});

describe('what is worth another try', () => {
  test.each(['40001', '40P01'])('%s is', (code) => expect(isRetryable(databaseError(code))).toBe(true));
  test.each(['40002', '23505', '57P01', '08006', '55P03'])('%s is not', (code) => expect(isRetryable(databaseError(code))).toBe(false));
  test.each([undefined, null, 'x', new Error('40001')])('%s is not', (error) => expect(isRetryable(error)).toBe(false));
});

describe('a lost connection', () => {
  test.each([
    databaseError('57P01'),
    databaseError('57P02'),
    databaseError('57P03'),
    databaseError('08000'),
    databaseError('08003'),
    databaseError('08006'),
    systemError('ECONNRESET'),
    systemError('EPIPE'),
    systemError('ETIMEDOUT'),
    new Error('Connection terminated'),
    new Error('Connection terminated unexpectedly'),
    new Error('Client has encountered a connection error and is not queryable'),
  ])('is %s', (error) => {
    expect(isConnectionLoss(error)).toBe(true);
    const translated = translateError(error, 'coordinate');
    expect(translated).toBeInstanceOf(ConnectionLostError);
    expect(translated).toMatchObject({ cause: error, details: { problem: error.message } });
  });

  test.each([
    databaseError('57014', 'canceling statement due to user request'),
    databaseError('23505'),
    databaseError('P0001', 'Connection terminated'),
    new Error('no'),
    'Connection terminated',
    undefined,
  ])('is not %s', (error) => {
    expect(isConnectionLoss(error)).toBe(false);
    expect(translateError(error, 'coordinate')).toBe(error);
  });
});

test('a connection loss that has been translated is one still, and is not translated again', () => {
  const error = new ConnectionLostError('before');
  expect(isConnectionLoss(error)).toBe(true);
  expect(translateError(error, 'coordinate')).toBe(error);
});

describe('an error of the server', () => {
  test('PC001 is a lost lease', () => {
    expect(translateError(databaseError('PC001'), 'coordinate')).toBeInstanceOf(LostLeaseError);
  });

  test.each(['42P01', '3F000', '42883'])('%s, of one of our statements, is a missing schema', (code) => {
    const translated = translateError(databaseError(code), 'my_queue');
    expect(translated).toBeInstanceOf(SchemaMissingError);
    expect(translated).toMatchObject({ details: { schema: 'my_queue' } });
  });

  test('22003 is an argument out of range', () => {
    const error = databaseError('22003');
    const translated = translateError(error, 'coordinate');
    expect(translated).toBeInstanceOf(InvalidArgumentError);
    expect((translated as Error).cause).toBe(error);
  });

  test.each([new GoneError(), databaseError('42501'), new Error('mine'), 'text', null, Object.freeze({ no: 1 })])('%s is handed on as it is', (error) => {
    expect(translateError(error, 'coordinate')).toBe(error);
  });

  test('what cannot be made text is handed on as it is', () => {
    const odd: unknown = Object.create(null);
    expect(translateError(odd, 'coordinate')).toBe(odd);
  });
});

describe('an error while connecting', () => {
  test('is CannotConnect, with the target and what was said', () => {
    const error = systemError('ECONNREFUSED');
    const translated = translateConnectError(error, 'db.example:5432/app');
    expect(translated).toBeInstanceOf(CannotConnectError);
    expect(translated).toMatchObject({ cause: error, details: { target: 'db.example:5432/app', problem: 'connect ECONNREFUSED 127.0.0.1:5432' } });
  });

  test('says something where Node says nothing: of several addresses none may be reached', () => {
    const error = Object.assign(new AggregateError([systemError('ECONNREFUSED'), systemError('EHOSTUNREACH')]), { code: 'ECONNREFUSED' });
    expect(error.message).toBe('');
    expect(translateConnectError(error, 'x')).toMatchObject({ details: { problem: 'ECONNREFUSED' } });
  });

  test('of ours is handed on', () => {
    const error = new GoneError();
    expect(translateConnectError(error, 'x')).toBe(error);
  });
});
