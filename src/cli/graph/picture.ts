/** A point; x to the right, y down, in pixels. */
export interface Point {
  readonly x: number;
  readonly y: number;
}

/** Where a release is drawn. */
export interface Box extends Point {
  readonly width: number;
  readonly height: number;
  /** Its position in the view. */
  readonly node: number;
  /** How many lines of remarks have room in it. */
  readonly lines: number;
}

/** A frame around releases that lead to the same ones. */
export interface Frame extends Point {
  readonly width: number;
  readonly height: number;
}

/** An arrow: straight parts through these points, the tip at the last one. */
export interface Arrow {
  readonly points: readonly Point[];
  /** `path`: a part of the path. `back`: it leads to an older release. */
  readonly kind: 'path' | 'edge' | 'back';
  /** Words beside it, and where they begin on their base line; null for none. */
  readonly label: (Point & { readonly text: string }) | null;
}

/** A drawing without style. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly boxes: readonly Box[];
  readonly frames: readonly Frame[];
  readonly arrows: readonly Arrow[];
}
