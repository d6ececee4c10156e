// The public WebSocket, followed for as long as the page lives: resumed by (epoch, after) whenever it breaks.
//
// `told` gets: state(word, why), past(cursor) where the list must begin anew before `cursor`, filing(message), and
// refused(why) where a key is needed.

const FIRST_DELAY = 500;
const LONGEST_DELAY = 30_000;
const UNAUTHENTICATED = 4001;
const FORBIDDEN = 4003;

export class Stream {
  constructor(told, key, clockTime) {
    this.told = told;
    this.key = key;
    this.clockTime = clockTime;
    this.filter = null;
    this.socket = null;
    this.place = null; // {epoch, after}
    this.last = null; // seq of the last message of this filter; null until one is known
    this.delay = FIRST_DELAY;
    this.beat = 15;
    this.heard = Date.now();
    this.timer = 0;
    setInterval(() => this.watch(), 2000);
    addEventListener("online", () => this.hurry());
  }

  // Follow `filter` from now on; what was seen under another one is forgotten.
  follow(filter) {
    this.filter = filter;
    this.place = this.last = null;
    this.delay = FIRST_DELAY;
    this.connect();
  }

  connect() {
    clearTimeout(this.timer);
    this.drop();
    this.told.state(this.place ? "resuming" : "connecting", this.since());
    const address = new URL("ws/filings", location.href.split(/[?#]/)[0]);
    address.protocol = location.protocol === "https:" ? "wss:" : "ws:";
    const mine = this.socket = new WebSocket(address);
    this.heard = Date.now();
    mine.onopen = () => this.ask(mine);
    mine.onmessage = (event) => { this.heard = Date.now(); this.receive(JSON.parse(event.data)); };
    mine.onclose = (event) => this.closed(event);
  }

  ask(socket) {
    const key = this.key();
    if (key) socket.send(JSON.stringify({ type: "auth", api_key: key }));
    const wanted = { type: "subscribe", ...this.filter.subscription };
    if (this.place) wanted.resume = this.place;
    socket.send(JSON.stringify(wanted));
  }

  receive(message) {
    if (message.type === "connected") {
      this.beat = message.heartbeat_s;
      this.epoch = message.epoch;
    } else if (message.type === "subscribed") this.subscribed(message);
    else if (message.type === "caught_up") {
      this.place.after = message.pos;
      this.delay = FIRST_DELAY;
      this.told.state("live", "");
    } else if (message.type === "heartbeat") this.place.after = message.pos;
    else if (message.filing_id) this.take(message);
  }

  subscribed(message) {
    const again = this.place !== null;
    this.place = { epoch: this.epoch, after: message.pos };
    if (message.recovered) return;
    this.last = null;
    this.told.past(message.cursor, again ? message.reason : "");
  }

  // `prev` names the last message of the same filter: when that is not the one we had, something is missing.
  take(message) {
    if (this.last !== null && message.prev > this.last) {
      this.again("a message was missing");
      return;
    }
    this.last = this.place.after = message.seq;
    this.told.filing(message);
  }

  closed(event) {
    this.socket = null;
    if (event.code === UNAUTHENTICATED || event.code === FORBIDDEN) {
      this.told.refused(event.code === FORBIDDEN ? event.reason || "this page may not connect" : event.reason);
      return;
    }
    this.again(event.reason);
  }

  again(why) {
    this.drop();
    this.told.state("disconnected", [why, this.since()].filter(Boolean).join("; "));
    this.timer = setTimeout(() => this.connect(), this.delay * (0.5 + Math.random() / 2));
    this.delay = Math.min(this.delay * 2, LONGEST_DELAY);
  }

  since() {
    return this.place ? `resuming from ${this.clockTime(this.heard)}…` : "";
  }

  drop() {
    if (this.socket === null) return;
    this.socket.onopen = this.socket.onclose = this.socket.onmessage = null;
    this.socket.close();
    this.socket = null;
  }

  hurry() {
    if (this.filter && this.socket === null) this.connect();
  }

  // Open and silent for two heartbeats is dead.
  watch() {
    if (this.socket && Date.now() - this.heard > this.beat * 2000 + 1000) this.again("nothing was heard");
  }
}
