/** A schema, of the dialect of OpenAPI 3.1. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/** The schema of a member that may be left out. */
interface Optional {
  readonly optional: JsonSchema;
}

type Members<Body> = { readonly [Name in keyof Body]-?: Partial<Pick<Body, Name>> extends Pick<Body, Name> ? Optional : JsonSchema };

/** A member that answers may leave out. */
export function optional(schema: JsonSchema): Optional {
  return { optional: schema };
}

/** What is answered: the compiler sees to it that it has the members of the body's type, and that those that may be left out are the same. */
export function answered<Body>(description: string, members: Members<Body>): JsonSchema {
  const entries = Object.entries<JsonSchema | Optional>(members).map(([name, member]) =>
    isOptional(member) ? ([name, member.optional, false] as const) : ([name, member, true] as const),
  );
  return {
    type: 'object',
    description,
    properties: Object.fromEntries(entries.map(([name, schema]) => [name, schema])),
    required: entries.filter(([, , isRequired]) => isRequired).map(([name]) => name),
  };
}

/** What is taken: of members, those of the body's type or fewer. What is not known is passed over, and null is as good as nothing. */
export function taken<Body>(description: string, members: Readonly<Partial<Record<keyof Body & string, JsonSchema>>>, required: (keyof Body & string)[] = []): JsonSchema {
  const properties = Object.entries<JsonSchema | undefined>(members).map(([name, schema = {}]) => {
    return [name, required.includes(name as keyof Body & string) ? schema : { anyOf: [schema, { type: 'null' }] }];
  });
  return { type: 'object', description, properties: Object.fromEntries(properties) as JsonSchema, ...(required.length > 0 && { required }) };
}

function isOptional(member: JsonSchema | Optional): member is Optional {
  return 'optional' in member;
}
