// The source's time: the machine's with live EDGAR, a simulated day's in a replay, at whatever speed that runs.
// `/api/status` tells it now and then; between two answers it goes on at the pace of the last two.

export class SourceClock {
  constructor() {
    this.known = false;
    this.ended = false; // a recording that has brought everything
    this.base = 0;
    this.read = 0;
    this.rate = 1;
  }

  set(text) {
    const at = Date.parse(text);
    if (Number.isNaN(at)) return;
    const read = performance.now();
    const passed = read - this.read;
    if (this.known && passed > 200) this.rate = Math.min(1e4, Math.max(0, (at - this.base) / passed));
    this.known = true;
    this.base = at;
    this.read = read;
  }

  now() {
    return this.known ? this.base + (performance.now() - this.read) * this.rate : Date.now();
  }
}
