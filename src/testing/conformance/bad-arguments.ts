import { raisesOneOf } from './assertions.js';
import { cases } from './conformance-case.js';
import { badPriority, everything, invalid, refuses, type Call } from './refused-calls.js';
import { assertSameData } from './same-data.js';
import { heldUnit } from './set-up.js';

const notText = [5, null, {}, ['a']];
const notFlags = ['yes', 1, {}];
const notNumbers = ['1', NaN, Infinity, {}];
const notDurations = [...notNumbers, -1];
const notLimits = [...notNumbers, -1, 1.5];
const notTimes = ['2015-11-20', 0, new Date(NaN)];
const notData = ['text', 5, [1], new Date(0), new Uint8Array(), new Map([['a', 1]])];
const notStorable = [{ f: () => 1 }, { deep: [{ s: Symbol('x') }] }, { date: new Date(NaN) }, { half: '\ud800' }, { big: 2n ** 64n }];
const notUnitNames = [5, null, {}, ['a']];
const notPriorities = [NaN, Infinity, -Infinity, '1', {}];
const notObjects = [5, 'text'];
/** Finite, but it ends after the last date there is. */
const endless = [8.64e15, 1e300];

export const badArgumentCases = cases('Errors', {
  'a name must be text': invalid(
    'name',
    notText,
    (name, _, namespace) => namespace.coordinate.namespace(name),
    (name, _, namespace) => namespace.workSpec(name),
    (name, _, namespace) => namespace.destroyWorkSpec(name),
    (name, _, namespace) => namespace.worker(name),
  ),

  'data must be a dictionary': invalid(
    'data',
    notData,
    (data, _, namespace) => namespace.setWorkSpec(data),
    (data, { spec }) => spec.setData(data),
    (data, { spec }) => spec.addWorkUnit('new', data),
    (data, { spec }) => spec.addWorkUnits([{ name: 'new', data: {} }, { name: 'free', data }]),
    (data, { worker }) => worker.update({ data }),
    (data, { attempt }) => attempt.renew(1, data),
    (data, { attempt }) => attempt.expire(data),
    (data, { attempt }) => attempt.finish(data),
    (data, { attempt }) => attempt.fail(data),
    (data, { attempt }) => attempt.retry(data),
    (data, { attempt }, namespace) => namespace.finishAll([{ attempt, data }]),
    (data, { attempt }, namespace) => namespace.failAll([{ attempt, data }]),
    (data, { attempt }, namespace) => namespace.renewAll([{ attempt, data }]),
  ),

  'data of a unit or a definition must be there': invalid(
    'data',
    [null, undefined],
    (data, _, namespace) => namespace.setWorkSpec(data),
    (data, { spec }) => spec.setData(data),
    (data, { spec }) => spec.addWorkUnit('new', data),
    (data, { spec }) => spec.addWorkUnits([{ name: 'new', data }]),
  ),

  'data that CBOR can not hold are refused': invalid(
    'data',
    notStorable,
    (data, _, namespace) => namespace.setWorkSpec({ name: 'new', config: data }),
    (data, { spec }) => spec.setData({ name: 'spec', config: data }),
    (data, { spec }) => spec.addWorkUnit('free', data),
    (data, { spec }) => spec.addWorkUnits([{ name: 'new', data: {} }, { name: 'free', data }]),
    (data, { worker }) => worker.update({ data }),
    (data, { attempt }) => attempt.renew(1, data),
    (data, { attempt }) => attempt.expire(data),
    (data, { attempt }) => attempt.finish(data),
    (data, { attempt }) => attempt.fail(data),
    (data, { attempt }) => attempt.retry(data),
    (data, { attempt }, namespace) => namespace.finishAll([{ attempt, data }]),
  ),

  'a unit’s name must be text or bytes': invalid(
    ['name', 'names', 'previousName'],
    notUnitNames,
    (name, { spec }) => spec.addWorkUnit(name, {}),
    (name, { spec }) => spec.addWorkUnits([{ name: 'new', data: {} }, { name, data: {} }]),
    (name, { spec }) => spec.workUnit(name),
    (name, { spec }) => spec.workUnits({ names: ['free', name] }),
    (name, { spec }) => spec.workUnits({ previousName: name }),
    (name, { spec }) => spec.deleteWorkUnits({ names: [name] }),
    (name, { spec }) => spec.setWorkUnitPriorities({ previousName: name }, 1),
  ),

  'units must be a list of units': invalid(['units', 'name'], [...notObjects, null, {}], (units, { spec }) =>
    spec.addWorkUnits(units),
  ),

  'a unit’s priority must be a finite number': badPriority(
    notPriorities,
    (priority, { unit }) => unit.setPriority(priority),
    (priority, { unit }) => unit.setMeta({ priority }),
    (priority, { spec }) => spec.addWorkUnit('free', {}, { priority }),
    (priority, { spec }) => spec.addWorkUnits([{ name: 'new', data: {} }, { name: 'free', data: {}, meta: { priority } }]),
    (priority, { spec }) => spec.setWorkUnitPriorities({}, priority),
  ),

  'an adjustment of priorities must be a finite number': refuses(
    notPriorities,
    [(by, { spec }) => spec.adjustWorkUnitPriorities({}, by)],
    (action) => raisesOneOf(['BadPriority', 'InvalidArgument'], action),
  ),

  'an adjustment beyond the finite numbers is refused': async ({ namespace }) => {
    const held = await heldUnit(namespace);
    await held.spec.addWorkUnit('high', {}, { priority: 1e308 });
    const before = await everything(held, namespace);
    await raisesOneOf(['BadPriority', 'InvalidArgument'], () => held.spec.adjustWorkUnitPriorities({}, 1e308));
    assertSameData(await everything(held, namespace), before, 'everything');
  },

  'notBefore must be a time': invalid(
    'notBefore',
    notTimes,
    (notBefore, { unit }) => unit.setMeta({ notBefore }),
    (notBefore, { spec }) => spec.addWorkUnit('free', {}, { notBefore }),
    (notBefore, { spec }) => spec.addWorkUnits([{ name: 'new', data: {} }, { name: 'free', data: {}, meta: { notBefore } }]),
  ),

  'a query must name statuses there are': invalid(
    'statuses',
    ['available', ['any'], ['available', 'expired'], [null], 5],
    (statuses, { spec }) => spec.workUnits({ statuses }),
    (statuses, { spec }) => spec.deleteWorkUnits({ statuses }),
    (statuses, { spec }) => spec.setWorkUnitPriorities({ statuses }, 1),
    (statuses, { spec }) => spec.adjustWorkUnitPriorities({ statuses }, 1),
  ),

  'the names of a query must be a list': invalid(
    'names',
    ['free', 5, {}],
    (names, { spec }) => spec.workUnits({ names }),
    (names, { spec }) => spec.deleteWorkUnits({ names }),
  ),

  'a limit must be a whole number': invalid(
    'limit',
    notLimits,
    (limit, { spec }) => spec.workUnits({ limit }),
    (limit, { spec }) => spec.deleteWorkUnits({ limit }),
    (limit, { spec }) => spec.setWorkUnitPriorities({ limit }, 1),
    (limit, _, namespace) => namespace.workers({ limit }),
    (limit, { worker }) => worker.allAttempts({ limit }),
  ),

  'a query must be an object': invalid(
    'query',
    [...notObjects, null],
    (query, { spec }) => spec.workUnits(query),
    (query, { spec }) => spec.deleteWorkUnits(query),
    (query, { spec }) => spec.setWorkUnitPriorities(query, 1),
    (query, { spec }) => spec.adjustWorkUnitPriorities(query, 1),
  ),

  'the first worker of a page is given by name': invalid('start', notText, (start, _, namespace) => namespace.workers({ start })),

  'a page of attempts starts after a number': invalid('after', notNumbers, (after, { worker }) => worker.allAttempts({ after })),

  'numbers in a spec’s meta must be finite': async (context) => {
    const fields = ['weight', 'intervalMs', 'maxRunning', 'maxAttemptsReturned', 'maxRetries', 'minMemoryGb'];
    for (const field of fields) {
      const call: Call = (value, { spec }) => spec.setMeta({ paused: true, [field]: value });
      await invalid(field, [...notNumbers, null], call)(context);
      await context.namespace.destroyWorkSpec('spec');
    }
  },

  'a spec’s priority must be a finite number': refuses(
    notPriorities,
    [(priority, { spec }) => spec.setMeta({ paused: true, priority })],
    // The class says "of a work unit"; either is a plain enough answer.
    (action) => raisesOneOf(['BadPriority', 'InvalidArgument'], action),
  ),

  'flags in a spec’s meta must be true or false': async (context) => {
    for (const field of ['paused', 'continuous']) {
      const call: Call = (value, { spec }) => spec.setMeta({ weight: 3, [field]: value });
      await invalid(field, [...notFlags, null], call)(context);
      await context.namespace.destroyWorkSpec('spec');
    }
  },

  'nextContinuous must be a time': invalid('nextContinuous', notTimes, (nextContinuous, { spec }) =>
    spec.setMeta({ weight: 3, nextContinuous }),
  ),

  'a meta must be an object': invalid(
    'meta',
    [...notObjects, null],
    (meta, { spec }) => spec.setMeta(meta),
    (meta, { unit }) => unit.setMeta(meta),
    (meta, { spec }) => spec.addWorkUnit('free', {}, meta),
    (meta, { spec }) => spec.addWorkUnits([{ name: 'free', data: {}, meta }]),
  ),

  'a lifetime must be a finite number of milliseconds, 0 or more': invalid(
    'lifetimeMs',
    notDurations,
    (lifetimeMs, { worker }) => worker.requestAttempts({ lifetimeMs }),
    (lifetimeMs, { worker, unit }) => worker.makeAttempt(unit, lifetimeMs),
    (lifetimeMs, { attempt }) => attempt.renew(lifetimeMs, { late: true }),
    (lifetimeMs, { attempt }, namespace) => namespace.renewAll([{ attempt, data: { late: true } }], lifetimeMs),
  ),

  'a delay must be a finite number of milliseconds, 0 or more': invalid('delayMs', notDurations, (delayMs, { attempt }) =>
    attempt.retry({ late: true }, delayMs),
  ),

  'a lifetime that no date can end is refused': invalid(
    'lifetimeMs',
    endless,
    (lifetimeMs, { worker }) => worker.requestAttempts({ lifetimeMs }),
    (lifetimeMs, { worker, unit }) => worker.makeAttempt(unit, lifetimeMs),
    (lifetimeMs, { attempt }) => attempt.renew(lifetimeMs),
    (lifetimeMs, { attempt }, namespace) => namespace.renewAll([{ attempt }], lifetimeMs),
  ),

  'a delay that no date can end is refused': invalid('delayMs', endless, (delayMs, { attempt }) => attempt.retry({}, delayMs)),

  'a number of units must be a number': invalid('numberOfWorkUnits', ['1', NaN, {}], (numberOfWorkUnits, { worker }) =>
    worker.requestAttempts({ numberOfWorkUnits }),
  ),

  'the work specs of a request must be a list of names': invalid('workSpecs', ['spec', 5, [5], [null], {}], (workSpecs, { worker }) =>
    worker.requestAttempts({ workSpecs }),
  ),

  'the runtimes of a request must be a list of texts': invalid('runtimes', ['', 5, [5], [null], {}], (runtimes, { worker }) =>
    worker.requestAttempts({ runtimes }),
  ),

  'the memory of a request must be a number': invalid('availableGb', ['1', NaN, {}], (availableGb, { worker }) =>
    worker.requestAttempts({ availableGb }),
  ),

  'a request must be an object': invalid('request', [...notObjects, null], (request, { worker }) => worker.requestAttempts(request)),

  'the times of an update must be times': async (context) => {
    for (const field of ['now', 'expiration']) {
      await invalid(field, notTimes, (time, { worker }) => worker.update({ data: { x: 1 }, [field]: time }))(context);
      await context.namespace.destroyWorkSpec('spec');
    }
  },

  'the mode of an update must be text': invalid('mode', notText, (mode, { worker }) => worker.update({ data: { x: 1 }, mode })),

  'an update must be an object': invalid(['update', 'data'], [...notObjects, null], (update, { worker }) => worker.update(update)),

  'attempts are made of units': invalid('units', [...notObjects, null, undefined, [null], ['unit']], (units, { worker }) => worker.makeAttempts(units)),
  'an attempt is made of a unit': invalid('unit', [...notObjects, null, undefined], (unit, { worker }) => worker.makeAttempt(unit)),

  'a parent is a worker': invalid('parent', [...notObjects, undefined], (parent, { worker }) => worker.setParent(parent)),

  'a batch is a list of reports on attempts': invalid(
    ['reports', 'attempt'],
    [...notObjects, null, [null], [{}], [{ attempt: null }]],
    (reports, _, namespace) => namespace.finishAll(reports),
    (reports, _, namespace) => namespace.failAll(reports),
    (reports, _, namespace) => namespace.renewAll(reports),
  ),
});
