export const half = (value: number): number => Math.floor(value / 2)
