export { exportNamespace, type ExportOptions } from './export-namespace.js';
export { importNamespace, type Imported, type ImportOptions } from './import-namespace.js';
