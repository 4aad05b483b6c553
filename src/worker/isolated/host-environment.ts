/** An environment for a host: without what leads to the database, as the work of a handler needs no more than its data. */
export function hostEnvironment(environment: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const kept = Object.entries(environment).filter(
    (entry): entry is [string, string] => entry[1] !== undefined && entry[0] !== 'DATABASE_URL' && !entry[0].startsWith('PG'),
  );
  return Object.fromEntries(kept);
}
