/** The substitution box of AES, from its definition: the inverse in GF(2^8), then an affine map. FIPS 197, "SubBytes()". */

const MODULUS = 0x11b;

/** The product in GF(2^8). */
function multiply(x: number, y: number): number {
  let product = 0;
  for (let n = 7; n >= 0; n--) {
    product <<= 1;
    if ((product & 0x100) !== 0) product ^= MODULUS;
    if (((y >> n) & 1) === 1) product ^= x;
  }
  return product;
}
const rotatedLeft = (x: number, n: number): number => ((x << n) | (x >> (8 - n))) & 0xff;

/** x to the power of 254: the inverse, and 0 for 0. */
function inverse(x: number): number {
  let power = 1;
  for (let n = 0; n < 254; n++) power = multiply(power, x);
  return power;
}

export const SUBSTITUTION = Uint8Array.from({ length: 256 }, (_, x) => {
  const b = inverse(x);
  return b ^ rotatedLeft(b, 1) ^ rotatedLeft(b, 2) ^ rotatedLeft(b, 3) ^ rotatedLeft(b, 4) ^ 0x63;
});
export const INVERSE_SUBSTITUTION = new Uint8Array(256);
SUBSTITUTION.forEach((to, from) => { INVERSE_SUBSTITUTION[to] = from; });
