import { existsSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import tseslint from 'typescript-eslint';

/** What each folder of src/ may import besides itself: arrows point down only. */
const layers = {
  errors: [],
  options: ['errors'],
  clock: ['errors'],
  codec: ['errors', 'options'],
  database: ['errors', 'options', 'clock', 'codec'],
  core: ['errors', 'options', 'clock', 'codec', 'database'],
  worker: ['errors', 'options', 'clock', 'codec', 'database', 'core'],
  adapters: ['errors', 'options', 'core'],
  access: ['errors', 'options', 'clock'],
  'cbor-rpc': ['errors', 'options', 'clock', 'codec', 'database', 'core', 'access'],
  telemetry: ['errors', 'options', 'clock', 'database', 'core', 'worker', 'codec'],
  rest: ['errors', 'options', 'clock', 'codec', 'database', 'core', 'worker', 'access', 'telemetry'],
  testing: ['errors', 'options', 'clock', 'codec', 'core'],
  archive: ['errors', 'options', 'codec', 'core'],
  doctor: ['errors', 'options', 'database', 'core'],
  cli: ['errors', 'options', 'clock', 'codec', 'database', 'core', 'worker', 'access', 'archive', 'doctor', 'rest', 'telemetry', 'cbor-rpc'],
};

/** Reports an import of a folder that is not below the file's own. */
const importDirection = {
  create(context) {
    const source = join(import.meta.dirname, 'src');
    const folderOf = (path) => relative(source, path).split(sep)[0];
    const folder = folderOf(context.filename);
    const below = layers[folder];
    if (below === undefined) return {};
    const check = ({ source: imported }) => {
      if (typeof imported?.value !== 'string' || !imported.value.startsWith('.')) return;
      const target = folderOf(join(dirname(context.filename), imported.value));
      if (target === folder || below.includes(target)) return;
      context.report({
        node: imported,
        message: `src/${folder} may import from ${below.join(', ') || 'nothing'}, not from ${target}: arrows point down.`,
      });
    };
    return {
      ImportDeclaration: check,
      ImportExpression: check,
      ExportNamedDeclaration: check,
      ExportAllDeclaration: check,
    };
  },
};

/** The types of the peers that the benchmark measures come with its own packages, which few have installed. */
const benchOfPeers = 'test/bench/peers/';
const withoutTypes = existsSync(join(import.meta.dirname, benchOfPeers, 'node_modules')) ? [] : [benchOfPeers];

export default tseslint.config(
  { ignores: ['dist/', '**/node_modules/', 'coverage/', ...withoutTypes] },
  {
    // The programs of threads are plain JavaScript, checked by their JSDoc types.
    files: ['**/*.ts', 'src/**/*.js'],
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    plugins: { local: { rules: { 'import-direction': importDirection } } },
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/prefer-readonly': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': 'off',
      // Values from outside are checked at run time although the types say they need not be.
      '@typescript-eslint/no-unnecessary-condition': 'off',
      // The type argument of setWorkSpec<Data>() flows into what it returns.
      '@typescript-eslint/no-unnecessary-type-parameters': 'off',
      '@typescript-eslint/no-invalid-void-type': 'off',
      '@typescript-eslint/non-nullable-type-assertion-style': 'off',
      '@typescript-eslint/require-await': 'off',
      // Interfaces here are taken apart in parameters; none of their methods relies on a `this` of the object taken apart.
      '@typescript-eslint/unbound-method': 'off',
      'max-lines': ['error', { max: 350 }],
    },
  },
  {
    files: ['src/**/*.ts', 'src/**/*.js'],
    rules: {
      'local/import-direction': 'error',
      'no-console': 'error',
      'no-restricted-syntax': [
        'error',
        { selector: 'NewExpression[callee.name="Date"][arguments.length=0]', message: 'Time comes from the clock.' },
        { selector: 'CallExpression[callee.object.name="Date"][callee.property.name="now"]', message: 'Time comes from the clock.' },
      ],
      'no-restricted-properties': [
        'error',
        { object: 'process', property: 'exit', message: 'Only cli/ ends the process.' },
      ],
    },
  },
  {
    // The linter does not see a JSDoc cast, and takes what is cast for the `any` that it was.
    files: ['src/**/*.js'],
    rules: { '@typescript-eslint/no-unsafe-assignment': 'off' },
  },
  {
    // Loops over bytes: the index is within bounds by construction, and the head of a `for` steps by a call.
    files: ['src/codec/**/*.ts'],
    rules: {
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/no-confusing-void-expression': 'off',
    },
  },
  {
    files: ['src/clock/**/*.ts'],
    rules: { 'no-restricted-syntax': 'off' },
  },
  {
    files: ['src/cli/**/*.ts'],
    rules: { 'no-console': 'off', 'no-restricted-properties': 'off' },
  },
  {
    files: ['test/**/*.ts'],
    rules: {
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
      '@typescript-eslint/no-empty-function': 'off',
      '@typescript-eslint/no-extraneous-class': 'off',
    },
  },
  {
    // Answers are read as a stranger reads them, who has no types for them.
    files: ['test/rest/**/*.ts'],
    rules: {
      '@typescript-eslint/no-explicit-any': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
    },
  },
);

