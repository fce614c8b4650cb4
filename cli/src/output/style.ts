import { styleText } from 'node:util'

type Format = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan'

/** Styles text for one stream; plain where that is no terminal or `NO_COLOR` is set. */
export type Style = (format: Format | readonly Format[], text: string) => string

export function styleFor(stream: NodeJS.WritableStream): Style {
  return (format, text) =>
    styleText(typeof format === 'string' ? format : [...format], text, { stream })
}
