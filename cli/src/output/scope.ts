/** The scope of all calls is written as a star, which says little to who reads it. */
export function scopeText(scope: string): string {
  return scope === '*' ? 'everything' : scope
}
