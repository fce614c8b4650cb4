import { TokenfuseError } from '@tokenfuse/protocol'

/**
 * The payload as a whole cannot be read.
 * @param where such as `at byte 12` or `at resourceSpans[0].scopeSpans`
 */
export function malformed(what: string, where: string): TokenfuseError {
  return new TokenfuseError('otlp_malformed', `${what} ${where} of an OTLP trace payload`, {
    fix: 'Send an ExportTraceServiceRequest of OTLP 1, as protobuf or as JSON, and name it in content-type.',
  })
}
