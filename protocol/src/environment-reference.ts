import * as names from './environment.ts'

export type EnvironmentVariable = {
  readonly name: string
  /** What holds where it is not set; `null` where nothing does. */
  readonly default: string | null
  readonly meaning: string
}

/** What each variable means, in the order of the reference page that is generated from it. */
export const ENVIRONMENT: readonly EnvironmentVariable[] = [
  {
    name: names.ENV_URL,
    default: names.DEFAULT_URL,
    meaning: 'Where the processor listens.',
  },
  {
    name: names.ENV_TOKEN,
    default: null,
    meaning: 'The bearer token of the processor.',
  },
  {
    name: names.ENV_TOKEN_FILE,
    default: `\`${names.DATA_DIRECTORY}/${names.TOKEN_FILE}\` in the current folder`,
    meaning: `A file that holds the token; ${names.ENV_TOKEN} comes before it.`,
  },
  { name: names.ENV_AGENT, default: names.UNKNOWN, meaning: 'Agent that the calls belong to.' },
  { name: names.ENV_TASK, default: names.UNKNOWN, meaning: 'Task that the calls belong to.' },
  { name: names.ENV_TASK_TYPE, default: null, meaning: 'Kind of that task.' },
  { name: names.ENV_USER, default: names.UNKNOWN, meaning: 'User on whose behalf calls are made.' },
  { name: names.ENV_SESSION, default: names.UNKNOWN, meaning: 'Session or conversation.' },
  {
    name: names.ENV_TENANT,
    default: names.DEFAULT_TENANT,
    meaning:
      'Tenant: a dimension like the others, by which a budget can count apart (`per: [tenant]`).',
  },
  {
    name: names.ENV_TAGS,
    default: null,
    meaning: 'Further dimensions: `name=value` pairs, separated by commas.',
  },
  {
    name: names.ENV_CRITICALITY,
    default: 'normal',
    meaning: '`critical`, `normal` or `best_effort`.',
  },
  {
    name: names.ENV_ON_START,
    default: 'allow',
    meaning: '`allow` or `refuse`: what a guard does that never heard of a policy.',
  },
  {
    name: names.ENV_DISABLED,
    default: null,
    meaning: '`1` or `true`: the preload does nothing at all.',
  },
  {
    name: names.ENV_HOSTS,
    default: null,
    meaning:
      'Further hosts that speak a known dialect: `host[:port]=openai` or `=anthropic`, separated by commas. `+usage` after the dialect says that the host accepts `stream_options.include_usage`.',
  },
  {
    name: names.ENV_SPOOL_DIR,
    default: "`tokenfuse-spool-UID` in the system's temporary folder",
    meaning: 'Where unsent spans wait for the next process.',
  },
  {
    name: names.ENV_WEBHOOK_URL,
    default: '`notify.webhook` of the policy file',
    meaning:
      'Where the processor tells people of rules that hold and of what was detected: it takes a POST of JSON with a `text`, as Slack does.',
  },
  {
    name: names.ENV_KAFKA_BROKERS,
    default: null,
    meaning:
      '`host:port` of Kafka brokers, separated by commas: the processor then works with Kafka. The variables below are for its connection.',
  },
  {
    name: names.ENV_KAFKA_TLS,
    default: '`true` where a certificate is named below',
    meaning: '`true` or `false`: whether brokers are spoken to over TLS.',
  },
  {
    name: names.ENV_KAFKA_TLS_CA_FILE,
    default: null,
    meaning: 'PEM file of the authorities that brokers are believed by, in place of the system’s.',
  },
  {
    name: names.ENV_KAFKA_TLS_CERT_FILE,
    default: null,
    meaning: 'PEM file of the certificate that is shown to brokers.',
  },
  { name: names.ENV_KAFKA_TLS_KEY_FILE, default: null, meaning: 'PEM file of its key.' },
  {
    name: names.ENV_KAFKA_SASL,
    default: null,
    meaning: '`plain`, `scram-sha-256`, `scram-sha-512` or `oauthbearer`.',
  },
  { name: names.ENV_KAFKA_USERNAME, default: null, meaning: 'The name to log in with.' },
  { name: names.ENV_KAFKA_PASSWORD, default: null, meaning: 'The password.' },
  {
    name: names.ENV_KAFKA_PASSWORD_FILE,
    default: null,
    meaning: `A file that holds it; ${names.ENV_KAFKA_PASSWORD} comes before it.`,
  },
  {
    name: names.ENV_KAFKA_TOKEN_FILE,
    default: null,
    meaning: 'A file that holds the token for `oauthbearer`; read again for each connection.',
  },
  {
    name: names.ENV_OTLP_ENDPOINT,
    default: `${names.ENV_URL}`,
    meaning: 'Base address that spans are sent to, such as a Collector.',
  },
  {
    name: names.ENV_OTLP_TRACES_ENDPOINT,
    default: null,
    meaning: `Full address for spans; comes before ${names.ENV_OTLP_ENDPOINT}.`,
  },
  {
    name: names.ENV_OTLP_METRICS_ENDPOINT,
    default: null,
    meaning: 'Full address for metrics of `register-sdk`.',
  },
  {
    name: names.ENV_OTLP_HEADERS,
    default: null,
    meaning: 'Headers sent with spans: `name=value` pairs, separated by commas.',
  },
  {
    name: names.ENV_OTLP_TRACES_HEADERS,
    default: null,
    meaning: `The same for spans alone; comes before ${names.ENV_OTLP_HEADERS}.`,
  },
  {
    name: names.ENV_OTLP_TIMEOUT,
    default: '`2000` with `register-sdk`',
    meaning:
      'How long `register-sdk` waits for a Collector, ms; so long it holds up a process that ends.',
  },
  {
    name: names.ENV_TRACES_EXPORTER,
    default: '`otlp`',
    meaning: '`none`: `register-sdk` makes no spans of HTTP requests.',
  },
  {
    name: names.ENV_METRICS_EXPORTER,
    default: '`otlp`',
    meaning: '`none`: `register-sdk` tells no metrics.',
  },
  {
    name: names.ENV_METRICS_INTERVAL,
    default: '`60000`',
    meaning: 'How often `register-sdk` sends metrics, ms; at the end of a process once more.',
  },
  { name: names.ENV_SERVICE_NAME, default: names.UNKNOWN, meaning: 'Name of the service.' },
  {
    name: names.ENV_RESOURCE_ATTRIBUTES,
    default: null,
    meaning: 'Resource attributes of the spans; `service.name` is read from them too.',
  },
  {
    name: names.ENV_TRACEPARENT,
    default: null,
    meaning:
      'Place of this process in the trace of the one that started it; calls without a span of their own hang below it.',
  },
]
