/** The environment variables that tokenfuse reads. Nothing outside this list changes its behaviour. */
export const ENV_URL = 'TOKENFUSE_URL'
export const ENV_TOKEN = 'TOKENFUSE_TOKEN'
export const ENV_TOKEN_FILE = 'TOKENFUSE_TOKEN_FILE'
export const ENV_AGENT = 'TOKENFUSE_AGENT'
export const ENV_TASK = 'TOKENFUSE_TASK'
export const ENV_TASK_TYPE = 'TOKENFUSE_TASK_TYPE'
export const ENV_USER = 'TOKENFUSE_USER'
export const ENV_SESSION = 'TOKENFUSE_SESSION'
export const ENV_TENANT = 'TOKENFUSE_TENANT'
/** `name=value` pairs, separated by commas. */
export const ENV_TAGS = 'TOKENFUSE_TAGS'
export const ENV_CRITICALITY = 'TOKENFUSE_CRITICALITY'
/** `allow` (default) or `refuse`: what a guard does that never heard of a policy. */
export const ENV_ON_START = 'TOKENFUSE_ON_START'
export const ENV_DISABLED = 'TOKENFUSE_DISABLED'
/**
 * Further hosts that speak a known dialect: `host[:port]=openai|anthropic`, separated by commas; `+usage` after
 * the dialect says that the host accepts `stream_options.include_usage`.
 */
export const ENV_HOSTS = 'TOKENFUSE_HOSTS'
/** Where unsent spans wait for the next process. Default: `tokenfuse-spool-UID` in the system's temporary folder. */
export const ENV_SPOOL_DIR = 'TOKENFUSE_SPOOL_DIR'

/** Where people are told of rules and detections; for the processor. */
export const ENV_WEBHOOK_URL = 'TOKENFUSE_WEBHOOK_URL'

/** `host:port` of brokers, separated by commas: the processor then works with Kafka. */
export const ENV_KAFKA_BROKERS = 'TOKENFUSE_KAFKA_BROKERS'
export const ENV_KAFKA_TLS = 'TOKENFUSE_KAFKA_TLS'
export const ENV_KAFKA_TLS_CA_FILE = 'TOKENFUSE_KAFKA_TLS_CA_FILE'
export const ENV_KAFKA_TLS_CERT_FILE = 'TOKENFUSE_KAFKA_TLS_CERT_FILE'
export const ENV_KAFKA_TLS_KEY_FILE = 'TOKENFUSE_KAFKA_TLS_KEY_FILE'
/** `plain`, `scram-sha-256`, `scram-sha-512` or `oauthbearer`. */
export const ENV_KAFKA_SASL = 'TOKENFUSE_KAFKA_SASL'
export const ENV_KAFKA_USERNAME = 'TOKENFUSE_KAFKA_USERNAME'
export const ENV_KAFKA_PASSWORD = 'TOKENFUSE_KAFKA_PASSWORD'
export const ENV_KAFKA_PASSWORD_FILE = 'TOKENFUSE_KAFKA_PASSWORD_FILE'
/** For `oauthbearer`; read again for each connection. */
export const ENV_KAFKA_TOKEN_FILE = 'TOKENFUSE_KAFKA_TOKEN_FILE'

export const ENV_OTLP_ENDPOINT = 'OTEL_EXPORTER_OTLP_ENDPOINT'
export const ENV_OTLP_TRACES_ENDPOINT = 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT'
export const ENV_OTLP_METRICS_ENDPOINT = 'OTEL_EXPORTER_OTLP_METRICS_ENDPOINT'
/** These four are read by `register-sdk` alone, beside what OpenTelemetry's own SDK reads. */
export const ENV_OTLP_TIMEOUT = 'OTEL_EXPORTER_OTLP_TIMEOUT'
export const ENV_TRACES_EXPORTER = 'OTEL_TRACES_EXPORTER'
export const ENV_METRICS_EXPORTER = 'OTEL_METRICS_EXPORTER'
export const ENV_METRICS_INTERVAL = 'OTEL_METRIC_EXPORT_INTERVAL'
export const ENV_OTLP_HEADERS = 'OTEL_EXPORTER_OTLP_HEADERS'
export const ENV_OTLP_TRACES_HEADERS = 'OTEL_EXPORTER_OTLP_TRACES_HEADERS'
export const ENV_SERVICE_NAME = 'OTEL_SERVICE_NAME'
export const ENV_RESOURCE_ATTRIBUTES = 'OTEL_RESOURCE_ATTRIBUTES'
/** Where this process stands in the trace of the one that started it, as W3C trace context. */
export const ENV_TRACEPARENT = 'TRACEPARENT'

export const DEFAULT_PORT = 4319
export const DEFAULT_URL = `http://127.0.0.1:${DEFAULT_PORT}`
/** The folder of an embedded processor's state, in the current folder. */
export const DATA_DIRECTORY = '.tokenfuse'
/** In the data folder: the control token, readable by its owner alone. */
export const TOKEN_FILE = 'token'
/** In the data folder: JSON `{url, pid}` of the running processor. */
export const ENDPOINT_FILE = 'endpoint.json'
export const UNKNOWN = 'unknown'
export const DEFAULT_TENANT = 'default'
