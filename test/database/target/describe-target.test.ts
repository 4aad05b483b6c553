import { describe, expect, it } from 'vitest';
import { describeTarget, parseTarget } from '../../../src/database/target/index.js';

describe('describeTarget', () => {
  it.each([
    ['postgres://me:hunter2@db.example:6432/app?application_name=a', 'db.example:6432/app'],
    ['postgres://me:hunter2@', 'localhost:5432/me'],
    ['postgres://', 'localhost:5432/'],
    ['postgres://[::1]/d', '[::1]:5432/d'],
    ['host=/var/run/pg dbname=d password=hunter2', '/var/run/pg:5432/d'],
  ])('describes %s as %s', (target, description) => {
    expect(describeTarget(parseTarget(target) ?? {})).toBe(description);
  });
});
