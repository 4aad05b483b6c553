import { importX } from 'eslint-plugin-import-x';
import tseslint from 'typescript-eslint';

/** What each folder of src/ may import besides itself: arrows point down only. */
const layers = {
  errors: [],
  options: ['errors'],
  clock: ['errors'],
  codec: ['errors', 'options'],
  database: ['errors', 'options', 'clock', 'codec'],
  core: ['errors', 'options', 'clock', 'codec', 'database'],
  testing: ['errors', 'options', 'clock', 'codec', 'core'],
  cli: ['errors', 'options', 'clock', 'codec', 'database', 'core'],
};

const zones = Object.entries(layers).map(([folder, below]) => ({
  target: `./src/${folder}`,
  from: './src',
  except: [folder, ...below].map((name) => `./${name}`),
  message: `src/${folder} may import only from ${['itself', ...below].join(', ')}: arrows point down.`,
}));

export default tseslint.config(
  { ignores: ['dist/', 'node_modules/', 'coverage/', 'test/bench/node_modules/'] },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    plugins: { 'import-x': importX },
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    settings: { 'import-x/resolver': { node: { extensions: ['.ts', '.js'] } } },
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
      'import-x/no-cycle': 'off',
      'max-lines': ['error', { max: 350 }],
    },
  },
  {
    files: ['src/**/*.ts'],
    rules: {
      'import-x/no-restricted-paths': ['error', { zones }],
      'no-console': 'error',
      'no-restricted-properties': [
        'error',
        { object: 'Date', property: 'now', message: 'Time comes from the clock.' },
        { object: 'process', property: 'exit', message: 'Only cli/ ends the process.' },
      ],
    },
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
);

