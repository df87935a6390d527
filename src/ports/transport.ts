/** How a node reaches others. A simulator has one of its own. */

/** An open socket, seen from one of its two ends; both are equal. */
export interface Wire {
  /** Bytes that were sent and not yet taken by the operating system. */
  readonly unsentBytes: number
  /** Sends one text frame. Does nothing once the wire is closed. */
  send(text: string): void
  /** @param reason - for the other end, at most 123 bytes of UTF-8 */
  close(reason: string): void
}

/** What an end hears. Each is called in the order in which things happened, `onClose` last and once. */
export interface WireListener {
  onText(text: string): void
  onClose(reason: string): void
}

export interface PlainRequest {
  readonly method: 'GET' | 'POST'
  /** With its query, from `/v1/` on. */
  readonly path: string
  /** JSON text. */
  readonly body?: string
  /** The answer is given up when it has more. */
  readonly maxBytes: number
  readonly timeoutMs: number
}

export interface PlainAnswer {
  readonly status: number
  readonly text: string
}

/**
 * Where a URL may lead. One that a peer has supplied leads to the public internet only: its host is judged, the
 * address that a name resolves to is too, and it is that address which is connected to.
 */
export type Reach = 'anywhere' | 'public'

export interface Transport {
  /**
   * Opens a WebSocket to `<url>/v1/peer`. Never follows redirects.
   *
   * @param listen - called once with the wire, before anything is heard on it
   * @throws Error with a sentence on why nobody answered there
   */
  dial(url: string, listen: (wire: Wire) => WireListener, reach?: Reach): Promise<void>
  /** One HTTP request to a peer. @throws Error with a sentence on why there was no answer */
  request(url: string, request: PlainRequest, reach?: Reach): Promise<PlainAnswer>
}

export interface Delivery {
  readonly text: string
  readonly mediaType: string
  /** The answer is given up when it has more. */
  readonly maxBytes: number
  readonly timeoutMs: number
}

/** How a text is brought to a URL that somebody else has chosen, who may be no node of this network: no token is shown. */
export interface Courier {
  /** One HTTP POST. Never follows redirects. @throws Error with a sentence on why there was no answer */
  deliver(endpoint: string, delivery: Delivery, reach: Reach): Promise<PlainAnswer>
}
