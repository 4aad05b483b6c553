/** The same sequences each time; with `MODEL_SEED=random` others, with a number those of an earlier run. */
export function chosenSeed(): { readonly seed?: number } {
  const { MODEL_SEED: seed = '20261120' } = process.env;
  return seed === 'random' ? {} : { seed: Number(seed) };
}
