import { findAttempt, getAttempt, reportOf } from './attempt.js';
import { postReports } from './attempt-reports.js';
import { deleteNamespace, findNamespace, getNamespace, getNamespaceSummary, listNamespaces, postNamespace } from './namespace.js';
import { findNothing, getRoot, getSummary } from './root.js';
import { route, type Route } from './route.js';
import * as spec from './work-spec.js';
import * as unit from './work-unit.js';
import * as worker from './worker.js';

const N = '/namespace/:namespace';
const S = `${N}/work_spec/:spec`;
const U = `${S}/work_unit/:unit`;
const A = `${U}/attempt/:worker/:number`;
const W = `${N}/worker/:worker`;

/** Every path of the tree: how to find what it names, and what can be done with it. All others are 404. */
export const routes: readonly Route[] = [
  route('/', findNothing, { GET: getRoot }),
  route('/summary', findNothing, { GET: getSummary }),

  route('/namespace', findNothing, { GET: listNamespaces, POST: postNamespace }),
  route(N, findNamespace, { GET: getNamespace, DELETE: deleteNamespace }),
  route(`${N}/summary`, findNamespace, { GET: getNamespaceSummary }),
  route(`${N}/attempt_reports`, findNamespace, { POST: postReports }),

  route(`${N}/work_spec`, findNamespace, { GET: spec.listWorkSpecs, POST: spec.postWorkSpec }),
  route(S, spec.findWorkSpec, { GET: spec.getWorkSpec, PUT: spec.putWorkSpec, DELETE: spec.deleteWorkSpec }),
  route(`${S}/meta`, spec.findWorkSpec, { GET: spec.getMeta, PUT: spec.putMeta, PATCH: spec.patchMeta }),
  route(`${S}/counts`, spec.findWorkSpec, { GET: spec.getCounts }),
  route(`${S}/summary`, spec.findWorkSpec, { GET: spec.getWorkSpecSummary }),
  route(`${S}/change`, spec.findWorkSpec, { POST: spec.postChange }),
  route(`${S}/adjust`, spec.findWorkSpec, { POST: spec.postAdjust }),

  route(`${S}/work_unit`, spec.findWorkSpec, { GET: unit.listWorkUnits, POST: unit.postWorkUnit, DELETE: unit.deleteWorkUnits }),
  route(`${S}/work_units`, spec.findWorkSpec, { POST: unit.postWorkUnits }),
  route(U, unit.findWorkUnit, { GET: unit.getWorkUnit, PUT: unit.putWorkUnit, DELETE: unit.deleteWorkUnit }),
  route(`${U}/attempts`, unit.findWorkUnit, { GET: unit.getUnitAttempts }),
  route(`${U}/num-attempts`, unit.findWorkUnit, { GET: unit.getNumAttempts }),
  route(`${U}/explain`, unit.findWorkUnit, { GET: unit.getExplanation }),
  route(`${U}/cancel`, unit.findWorkUnit, { POST: unit.postCancel }),

  // There is nothing to be done with it, but it is there.
  route(`${U}/attempt`, unit.findWorkUnit, {}),
  route(A, findAttempt, { GET: getAttempt }),
  route(`${A}/renew`, findAttempt, { POST: reportOf('renew') }),
  route(`${A}/expire`, findAttempt, { POST: reportOf('expire') }),
  route(`${A}/finish`, findAttempt, { POST: reportOf('finish') }),
  route(`${A}/fail`, findAttempt, { POST: reportOf('fail') }),
  route(`${A}/retry`, findAttempt, { POST: reportOf('retry') }),

  route(`${N}/worker`, findNamespace, { GET: worker.listWorkers }),
  route(W, worker.findWorker, { GET: worker.getWorker, PUT: worker.putWorker }),
  route(`${W}/request_attempts`, worker.findWorker, { POST: worker.postRequestAttempts }),
  route(`${W}/make_attempt`, worker.findWorker, { POST: worker.postMakeAttempt }),
  route(`${W}/active_attempts`, worker.findWorker, { GET: worker.getActiveAttempts }),
  route(`${W}/all_attempts`, worker.findWorker, { GET: worker.getAllAttempts }),
  route(`${W}/child_attempts`, worker.findWorker, { GET: worker.getChildAttempts }),
];
