/** How often to repeat: `scripts/test --long` runs the long form of races and faults. */
export const times = (short: number, long: number): number => (process.env.BAILIWICK_LONG ? long : short);
