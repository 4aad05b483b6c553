/** The document that everything is found from. All members are URLs; those in braces are RFC 6570 templates. */
export interface RootBody {
  readonly url: string;
  readonly summary_url: string;
  readonly namespaces_url: string;
  /** `{namespace}`: a name as `encodeName` writes it. */
  readonly namespace_url: string;
  /** `{namespace}`: what happens there, as server-sent events: an addition. */
  readonly namespace_events_url: string;
  /** GET answers `{time}`: an addition. */
  readonly time_url: string;
  /** A description of all that follows, in OpenAPI 3.1: an addition, as is the page for people. */
  readonly openapi_url: string;
  readonly docs_url: string;
}

/** What `time_url` answers. */
export interface TimeBody {
  readonly time: string;
}
