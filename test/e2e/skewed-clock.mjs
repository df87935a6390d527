/** Loaded before a program: its wall clock is off by CLOCK_OFF_MS, and goes as fast as everybody's. */
const offMs = Number(process.env.CLOCK_OFF_MS)
const ActualDate = Date

globalThis.Date = class extends ActualDate {
  constructor(...parts) {
    if (parts.length === 0) super(ActualDate.now() + offMs)
    else super(...parts)
  }

  static now() {
    return ActualDate.now() + offMs
  }
}
