/* A reader's own activation function: parsed into a tree, never evaluated as a program. Every node gives the
   value and the derivative at z, as automatic differentiation does. */

import { erf } from "./activations.js";

const SQUASH = (u) => 1 / (1 + Math.exp(-u));
/** Functions of one argument with their derivatives. */
const FUNCTIONS = {
  exp: [Math.exp, Math.exp],
  ln: [Math.log, (u) => 1 / u],
  log: [Math.log, (u) => 1 / u],
  sqrt: [Math.sqrt, (u) => 0.5 / Math.sqrt(u)],
  abs: [Math.abs, Math.sign],
  sin: [Math.sin, Math.cos],
  cos: [Math.cos, (u) => -Math.sin(u)],
  tanh: [Math.tanh, (u) => 1 - Math.tanh(u) ** 2],
  arctan: [Math.atan, (u) => 1 / (1 + u * u)],
  erf: [erf, (u) => (2 / Math.sqrt(Math.PI)) * Math.exp(-u * u)],
  sigmoid: [SQUASH, (u) => SQUASH(u) * SQUASH(-u)],
  softplus: [(u) => (u > 20 ? u : Math.log1p(Math.exp(u))), SQUASH],
  relu: [(u) => Math.max(0, u), (u) => (u > 0 ? 1 : 0)],
};
const CONSTANTS = { pi: Math.PI, π: Math.PI, e: Math.E };
const TOKEN = /\s*(?:(\d+\.?\d*(?:e[-+]?\d+)?|\.\d+)|([a-zπ]+)|(.))/giy;
const DEEPEST = 40;

/** What is wrong with a formula, and where: index from 0. */
export class FormulaError extends Error {
  constructor(message, at) {
    super(message);
    this.at = at;
  }
}

function tokens(text) {
  const found = [];
  TOKEN.lastIndex = 0;
  for (let match; (match = TOKEN.exec(text)); ) {
    const [, number, name, sign] = match;
    const at = TOKEN.lastIndex - (number ?? name ?? sign).length;
    found.push({ number: number && Number(number), name: name?.toLowerCase(), sign, at });
  }
  return found;
}

const constant = (value) => () => [value, 0];
const BINARY = {
  "+": ([a, da], [b, db]) => [a + b, da + db],
  "-": ([a, da], [b, db]) => [a - b, da - db],
  "*": ([a, da], [b, db]) => [a * b, da * b + a * db],
  "/": ([a, da], [b, db]) => [a / b, (da - (a / b) * db) / b],
  "^": ([a, da], [b, db]) => {
    const value = a ** b;
    const base = da === 0 || b === 0 ? 0 : b * a ** (b - 1) * da; // 0^0 is constant
    return [value, base + (db === 0 ? 0 : value * Math.log(a) * db)];
  },
};
const PAIR = {
  max: (a, b) => (a[0] >= b[0] ? a : b),
  min: (a, b) => (a[0] <= b[0] ? a : b),
};

/** Reads a formula by recursive descent. */
class Reader {
  constructor(text) {
    this.tokens = tokens(text);
    this.end = text.length;
    this.next = 0;
    this.depth = 0;
  }

  get sign() {
    return this.tokens[this.next]?.sign;
  }

  fail(message) {
    throw new FormulaError(message, this.tokens[this.next]?.at ?? this.end);
  }

  expect(sign) {
    if (this.sign !== sign) this.fail(`expected ${sign}`);
    this.next++;
  }

  chain(signs, part) {
    let left = part();
    while (signs.includes(this.sign ?? "?")) {
      const combine = BINARY[this.tokens[this.next++].sign.replace("−", "-").replace("·", "*")];
      const [a, b] = [left, part()];
      left = (z) => combine(a(z), b(z));
    }
    return left;
  }

  sum() {
    if (++this.depth > DEEPEST) this.fail("too deep");
    const found = this.chain("+-−", () => this.product());
    this.depth--;
    return found;
  }

  product() {
    return this.chain("*/·", () => this.unary());
  }

  unary() {
    if (this.sign === "-" || this.sign === "−") {
      if (++this.depth > DEEPEST) this.fail("too deep");
      this.next++;
      const inner = this.unary();
      this.depth--;
      return (z) => inner(z).map((value) => -value);
    }
    return this.power();
  }

  power() {
    const base = this.atom();
    if (this.sign !== "^") return base;
    this.next++;
    const exponent = this.unary(); // to the right: 2^3^2 is 2^(3^2), z^-1 is 1/z
    return (z) => BINARY["^"](base(z), exponent(z));
  }

  atom() {
    const token = this.tokens[this.next];
    if (!token) this.fail("ends too early");
    if (token.number !== undefined) {
      this.next++;
      return constant(token.number);
    }
    if (token.name) return this.named(token.name);
    this.expect("(");
    const inside = this.sum();
    this.expect(")");
    return inside;
  }

  named(name) {
    if (name === "z" || name === "x") {
      this.next++;
      return (z) => [z, 1];
    }
    if (Object.hasOwn(CONSTANTS, name)) {
      this.next++;
      return constant(CONSTANTS[name]);
    }
    const pair = Object.hasOwn(PAIR, name);
    if (!pair && !Object.hasOwn(FUNCTIONS, name)) this.fail(`unknown: ${name}`);
    this.next++;
    this.expect("(");
    const first = this.sum();
    if (pair) this.expect(",");
    const second = pair && this.sum();
    this.expect(")");
    if (pair) return (z) => PAIR[name](first(z), second(z));
    const [f, df] = FUNCTIONS[name];
    return (z) => {
      const [u, du] = first(z);
      return [f(u), du === 0 ? 0 : df(u) * du];
    };
  }
}

/** Read a formula in z; return [phi, its derivative].
 *  @throws FormulaError if it is none. */
export function parsed(text) {
  const reader = new Reader(text);
  const tree = reader.sum();
  if (reader.next < reader.tokens.length) reader.fail("is not understood");
  return [(z) => tree(z)[0], (z) => tree(z)[1]];
}
