/** The buttons' pictures, drawn in a square of 16. */
import { svg } from './dom.ts';

const SHAPES = {
  run: ['M5 3.5v9l7-4.5z'],
  reverse: ['M11 3.5v9l-7-4.5z'],
  pause: ['M5.5 3.5v9M10.5 3.5v9'],
  first: ['M4 3.5v9', 'M12 3.5v9l-6-4.5z'],
  last: ['M12 3.5v9', 'M4 3.5v9l6-4.5z'],
  step: ['M8 2v7M5 6.5L8 9.5l3-3', 'M8 13.2v.1'],
  back: ['M8 9.5v-7M5 5.5l3-3 3 3', 'M8 13.2v.1'],
  over: ['M2.5 9.5a5.5 5.5 0 0 1 10.6-1.6M13.6 4.6v3.6h-3.6', 'M8 13.2v.1'],
  backOver: ['M13.5 9.5A5.5 5.5 0 0 0 2.9 7.9M2.4 4.6v3.6h3.6', 'M8 13.2v.1'],
  out: ['M4 12V8a4 4 0 0 1 4-4h4.5M10 1.5L12.5 4 10 6.5', 'M8 13.2v.1'],
  backOut: ['M12 12V8a4 4 0 0 0-4-4H3.5M6 1.5L3.5 4 6 6.5', 'M8 13.2v.1'],
} as const;
export type IconName = keyof typeof SHAPES;

export const icon = (name: IconName): SVGElement => svg('svg', { 'viewBox': '0 0 16 16', 'aria-hidden': 'true' }, ...SHAPES[name].map((d) => svg('path', { d })));
