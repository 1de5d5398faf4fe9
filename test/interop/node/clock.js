// Before a program's own modules, by `--import`: its clock is off by so many seconds from here on.
const off = Number(process.env.CLOCK_OFF_SECONDS) * 1_000;
const { now } = Date;

globalThis.Date = class extends Date {
  static now = () => now() + off;

  constructor(...given) {
    super(...(given.length > 0 ? given : [now() + off]));
  }
};
