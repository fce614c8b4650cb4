/** Whether a value is what stands in some place of an event. */
export type Check = (value: unknown) => boolean

export const isText = (value: unknown): value is string => typeof value === 'string'
export const isTextOrNull = (value: unknown): boolean => value === null || isText(value)
export const isNumber = (value: unknown): boolean =>
  typeof value === 'number' && Number.isFinite(value)
export const isNumberOrNull = (value: unknown): boolean => value === null || isNumber(value)
/** An amount of money as a decimal. */
export function isAmount(value: unknown): boolean {
  if (!isText(value) || value === '') return false
  for (let at = 0; at < value.length; at++) {
    const digit = value.charCodeAt(at) - 48
    if (digit < 0 || digit > 9) return false
  }
  return true
}

export const isOneOf =
  (values: readonly string[]): Check =>
  (value) =>
    isText(value) && values.includes(value)

export const isListOf =
  (check: Check): Check =>
  (value) =>
    Array.isArray(value) && value.every(check)

export const isNullOr =
  (check: Check): Check =>
  (value) =>
    value === null || check(value)

/** An object that holds at least these. */
export const isObjectOf =
  (fields: Readonly<Record<string, Check>>): Check =>
  (value) =>
    isObject(value) && Object.entries(fields).every(([name, check]) => check(value[name]))

export const isMapOf =
  (check: Check): Check =>
  (value) =>
    isObject(value) && Object.values(value).every(check)

/** Whether the first values are as they have to be, one after another. */
export function beginsLike(values: readonly unknown[], form: readonly Check[]): boolean {
  for (let at = 0; at < form.length; at++) {
    if (!(form[at] as Check)(values[at])) return false
  }
  return true
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
