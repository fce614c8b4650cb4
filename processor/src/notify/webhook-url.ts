import { ENV_WEBHOOK_URL, TokenfuseError } from '@tokenfuse/protocol'

/**
 * The webhook that the environment names.
 * @throws TokenfuseError `url_invalid`, without the address, which may be a secret
 */
export function readWebhookUrl(environment: Readonly<Record<string, string | undefined>>): {
  readonly webhookUrl?: string
} {
  const webhookUrl = environment[ENV_WEBHOOK_URL]
  if (webhookUrl === undefined || webhookUrl === '') return {}
  if (/^https?:$/.test(URL.parse(webhookUrl)?.protocol ?? '')) return { webhookUrl }
  throw new TokenfuseError('url_invalid', `${ENV_WEBHOOK_URL} is no http or https address`, {
    fix: 'Set it to the address that your chat gives for incoming webhooks.',
  })
}
