/* The index of the search: how it is made and how it is asked. The build runs this file in QuickJS to make the index,
   the reader's browser runs it to ask, so that both cut words alike. No page, no network: search.js has those.

   A section of a page is what is found. Words count by where they stand (title, other names, text), as in BM25F; their
   weights are computed when the index is made, so that a posting is a section and a weight. The postings lie in many
   small files, of which a query needs a few. Chinese is cut into pairs of neighboring characters: no dictionary. */
globalThis.x0Find = (() => {
  const PARTS = 192; // files of postings
  const LEVELS = 63; // of a weight
  const DIGITS = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_";
  const HAN = "\\u3400-\\u4dbf\\u4e00-\\u9fff";
  const LETTER = `(?:[^\\P{L}${HAN}]|\\p{N})`;
  const WORD = new RegExp(`[${HAN}]+|\\d+(?:\\.\\d+)+|√|${LETTER}(?:[_’'-]?${LETTER})*`, "gu");
  const CHINESE = new RegExp(`^[${HAN}]`);
  const COMMON = new Set(("a an and are as at be by can do does for from has have how i if in into is it its me my of on or "
    + "not should so than that the their then there these they this to was we what when where which while who why will with "
    + "you your").split(" "));
  // What a Chinese question holds besides what it asks for.
  const ASKING = new RegExp("为什么|为何|什么时候|怎么办|怎么样|怎么|怎样|如何|什么|哪个|哪些|哪种|多少|多大|是否|能否|可以|不能|需要|应该"
    + "|还是|区别|差别|哪个好|原因|的作用|[的了吗呢吧]|(?<![饱总求缓])和|(?<!参)与", "g");
  const GREEK = "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi omicron pi rho . sigma tau upsilon phi chi psi omega".split(" ");

  /* ---- Words */

  /** Cut what English adds to a word; `initialization`, `initializers` and `initialised` begin alike. */
  const stem = (word) => {
    if (word.length < 4 || /[^a-z]/.test(word)) return word;
    let w = word.replace(/ies$/, "y").replace(/(ss|[sxz]|ch|sh)es$/, "$1").replace(/([^suia])s$/, "$1");
    w = w.replace(/i[zs](?:ations?|ing|ers?|ed|e)$/, "iz");
    for (const end of ["ations", "ation", "ating", "ated", "ate", "ing", "ed", "ly", "e"]) {
      if (w.endsWith(end) && /[aeiouy]/.test(w.slice(0, -end.length)) && w.length - end.length >= 3) {
        w = w.slice(0, -end.length).replace(/([^aeiouls])\1$/, "$1");
        break;
      }
    }
    return w;
  };

  const camel = (word) => word.match(/\p{Lu}+(?!\p{Ll})|\p{Lu}?\p{Ll}+|\p{N}+|\p{L}/gu) || [];

  /** A word as terms: the whole first, then its parts (`fan_in`: fanin, fan, in); of Chinese, pairs of characters. */
  const cut = (word) => {
    if (CHINESE.test(word)) {
      return word.length === 1 ? [word] : Array.from({ length: word.length - 1 }, (_, n) => word.slice(n, n + 2));
    }
    if (word === "√") return ["sqrt"];
    if (/^[\d.]+$/.test(word)) return word.length > 5 ? [] : [word]; // a measured value is not what one looks for
    const pieces = word.split(/[_’'-]/).filter(Boolean);
    const split = pieces.flatMap((piece) => {
      const found = camel(piece);
      return found.length > 1 && found.some((x) => x.length > 3) ? found : [piece];
    });
    const raw = pieces.join("").toLowerCase(), whole = stem(raw);
    return Object.assign(split.length > 1 ? [whole, ...split.map((x) => stem(x.toLowerCase()))] : [whole], { raw });
  };

  const plain = (text) => text.normalize("NFKC").replace(/[’']s\b/g, "").replace(/n[’']t\b/g, " not").replace(/根号/g, "√").replace(ASKING, " ")
    .replace(/(?<!\p{L})[α-ω](?!\p{L})/gu, (x) => ` ${GREEK[x.charCodeAt(0) - 945]} `);
  /** The words of a text, each as its terms. */
  const words = (text) => [...plain(text).matchAll(WORD)].flatMap(([word]) => {
    const found = cut(word);
    return found.length ? [found] : [];
  });

  /** All terms of a text, in one line: what two texts have in common if they say the same. */
  const key = (text) => words(text).map((w) => (CHINESE.test(w[0]) ? w.join("") : w[0])).join(" ");

  const part = (term) => {
    const of = CHINESE.test(term) ? term[0] : term;
    let hash = 7;
    for (let n = 0; n < of.length; n++) hash = (hash * 31 + of.charCodeAt(n)) % 65521;
    return hash % PARTS;
  };

  /* ---- Making the index */

  const write = (number) => {
    let text = "";
    for (; number > 31; number = number >> 5) text += DIGITS[32 + (number % 32)];
    return text + DIGITS[number];
  };

  /** How often each term stands in a text; a part of a word counts less than the whole. */
  const count = (text) => {
    const found = new Map();
    for (const word of words(text)) {
      word.forEach((term, n) => {
        const weight = n && !CHINESE.test(term) ? 0.6 : 1;
        found.set(term, (found.get(term) || 0) + weight);
      });
    }
    return found;
  };

  /* What a word counts in a title, in another name, in the title of the page or another name of that, in the text; and
     how much less if the field is long. */
  const FIELDS = { title: [10, 0.6], names: [10, 0.1], page: [3, 0.3], about: [2, 0.1], text: [1, 0.45] };

  /** Return the index of sections: `head`, what every query needs, and `parts`, the postings.

      `also` pairs another name with the book's own, whose words are looked for where the other stands in a query. */
  const make = (sections, also = []) => {
    const fields = Object.keys(FIELDS);
    const counted = sections.map((s) => fields.map((f) => count(s[f] || "")));
    const sizes = counted.map((row) => row.map((found) => [...found.values()].reduce((a, b) => a + b, 0)));
    const mean = fields.map((_, f) => {
      const used = sizes.map((row) => row[f]).filter(Boolean);
      return used.reduce((a, b) => a + b, 0) / (used.length || 1);
    });
    const postings = new Map();
    counted.forEach((row, n) => {
      const sum = new Map();
      fields.forEach((f, i) => {
        const [weight, slope] = FIELDS[f];
        const size = 1 - slope + slope * (sizes[n][i] / mean[i]);
        for (const [term, times] of row[i]) {
          if (f === "text" && COMMON.has(term)) continue;
          const often = f === "text" ? times : Math.min(times, 1);
          sum.set(term, (sum.get(term) || 0) + (weight * often) / size);
        }
      });
      for (const [term, value] of sum) {
        const level = Math.max(1, Math.round((LEVELS * value) / (value + 3)));
        if (!postings.has(term)) postings.set(term, []);
        postings.get(term).push([n, level]);
      }
    });
    const parts = Array.from({ length: PARTS }, () => []);
    const latin = [];
    for (const term of [...postings.keys()].sort()) {
      if (!CHINESE.test(term)) latin.push(term);
      let last = -1;
      const text = postings.get(term).map(([n, level]) => {
        const step = write(n - last - 1) + DIGITS[level];
        last = n;
        return step;
      }).join("");
      parts[part(term)].push(`${term} ${text}`);
    }
    const pages = [...new Set(sections.map((s) => s.url.split("#")[0]))];
    const rows = sections.map((s) => {
      const [page, anchor] = s.url.split("#");
      return [pages.indexOf(page), anchor || "", s.title, Math.round(s.weight * 100), s.names ? s.names : 0];
    });
    const titles = pages.map((url) => [url, sections.find((s) => s.url.split("#")[0] === url).page]);
    const pairs = also.map(([other, name]) => [key(other), name]).filter(([other, name]) => other && other !== key(name));
    return { head: { pages: titles, sections: rows, terms: latin.join(" "), also: pairs }, parts: parts.map((rows_) => rows_.join("\n")) };
  };

  /* ---- Asking it */

  const read = (text) => {
    const found = new Map();
    let n = -1;
    for (let at = 0; at < text.length;) {
      let step = 0, shift = 0, digit = DIGITS.indexOf(text[at++]);
      for (; digit > 31; digit = DIGITS.indexOf(text[at++])) { step += (digit - 32) << shift; shift += 5; }
      n += (step + (digit << shift)) + 1;
      found.set(n, DIGITS.indexOf(text[at++]) / LEVELS);
    }
    return found;
  };

  /** Whether one typing error makes one word of the other: a letter more, less, another, or two exchanged. */
  const near = (a, b) => {
    if (Math.abs(a.length - b.length) > 1 || a === b) return a === b;
    let start = 0, end = 0;
    while (start < a.length && a[start] === b[start]) start++;
    while (end < a.length - start && end < b.length - start && a.at(-1 - end) === b.at(-1 - end)) end++;
    const x = a.slice(start, a.length - end), y = b.slice(start, b.length - end);
    return (x.length <= 1 && y.length <= 1) || (x.length === 2 && y.length === 2 && x[0] === y[1] && x[1] === y[0]);
  };

  class Index {
    /** `head` as `make` returns it; `load` gives the text of a part by its number, as a promise. */
    constructor(head, load) {
      Object.assign(this, head);
      this.terms = head.terms.split(" ");
      this.known = new Set(this.terms);
      this.load = load;
      this.parts = new Map();
      this.keys = this.sections.map(([page, , title, , names]) => ({
        title: key(title),
        names: new Set(names ? names.split("|").map(key) : []),
        page: key(this.pages[page][1]),
      }));
    }

    /** The book's own names for what a query calls by others. */
    own(query) {
      const asked = ` ${key(query)} `;
      const met = this.also.filter(([other]) => asked.includes(CHINESE.test(other) ? other : ` ${other} `));
      return met.filter(([a]) => !met.some(([b]) => b !== a && b.includes(a))).map(([, name]) => name);
    }

    async rows(term) {
      const n = part(term);
      if (!this.parts.has(n)) {
        this.parts.set(n, this.load(n).then((text) => new Map(text.split("\n").map((row) => row.split(" ")))));
      }
      return this.parts.get(n);
    }

    /** The terms of the index that a word may mean, each with what it counts. */
    candidates(word, last, raw = word) {
      const found = new Map();
      if (this.known.has(word)) found.set(word, 1);
      if (word.length > 2 && last && !found.size) {
        const longer = this.terms.filter((x) => x.startsWith(word) && x !== word).sort((a, b) => a.length - b.length);
        for (const x of longer.slice(0, 8)) found.set(x, 0.9 * (word.length / x.length));
      }
      if (word.length > 3 && /^\D+$/.test(word)) {
        const ends = ["", "e", "s", "ing", "ed", "ation"]; // what the index has been cut off
        const typed = (x) => near(word, x) || (!found.size && ends.some((end) => near(raw, x + end)));
        const alike = this.terms.filter((x) => x[0] === word[0] && x.length > 3 && typed(x));
        const others = alike.length || found.size ? alike : this.terms.filter((x) => x.length > 4 && typed(x));
        for (const x of others) if (!found.has(x)) found.set(x, found.size && this.known.has(word) ? 0.05 : 0.7);
      }
      if (!found.size && word.length > 2) {
        for (const x of this.terms.filter((y) => y.startsWith(word)).slice(0, 8)) found.set(x, 0.6 * (word.length / x.length));
      }
      return found;
    }

    /** What a term of a query finds: section to weight, how rare it is, and the terms of the index that it means. */
    async look(term, last, raw) {
      const found = new Map(), met = [];
      if (CHINESE.test(term)) {
        met.push(term);
        const rows = await this.rows(term);
        const texts = term.length > 1 ? [rows.get(term)] : [...rows].filter(([x]) => x[0] === term).map(([, x]) => x);
        for (const text of texts.filter(Boolean)) for (const [n, w] of read(text)) found.set(n, Math.max(found.get(n) || 0, w));
      } else {
        for (const [x, worth] of this.candidates(term, last, raw)) {
          met.push(x);
          for (const [n, w] of read((await this.rows(x)).get(x) || "")) found.set(n, Math.max(found.get(n) || 0, w * worth));
        }
      }
      return { found, met, rare: Math.log(1 + (this.sections.length - found.size + 0.5) / (found.size + 0.5)) };
    }

    /** Return the sections that a query finds, best first: `{ n, at, url, title, page, score }`, `at` being the number of
        the page; and as `rows.met` the terms by which they were found. */
    async find(asking, most = 30) {
      // Where a call lives says little: torch.nn.init.normal_, jax.nn.initializers.he_normal.
      const query = asking.replace(/\b(?:\w+\.)*init\w*\.(?=\w)|\btorch\.(?=\w)|\bdifferences? between\b|\bvs\.?(?=\s)/gi, "");
      const own = this.own(query);
      let asked = words(query).map((word, n, all) => ({ word, last: n === all.length - 1 }));
      const telling = asked.filter(({ word }) => !COMMON.has(word[0]));
      if (telling.length) asked = telling;
      asked.push(...own.flatMap((name) => words(name)).map((word) => ({ word, last: false, added: true })));
      const terms = new Map();
      for (const { word, last, added } of asked) {
        const whole = CHINESE.test(word[0]) || word.length === 1;
        const unknown = !whole && !this.known.has(word[0]);
        word.forEach((term, n) => {
          if (unknown && n === 0 && word.length > 1) return;
          const share = whole || unknown ? 1 : n ? 0.25 : 1;
          terms.set(term, { added: Boolean(added) && (terms.get(term)?.added ?? true), last: last && n === word.length - 1, raw: n ? term : word.raw, share: Math.max(share, terms.get(term)?.share || 0) });
        });
      }
      const all = await Promise.all([...terms].map(async ([term, { added, last, raw, share }]) => {
        const { found, met, rare } = await this.look(term, last, raw);
        return { term, found, met: added && rare < 2 ? [] : met, rare: rare * share };
      }));
      // Two characters of two words stand together in few places, which says nothing: no rarer than those beside them.
      const looked = all.map(({ term, found, rare }, n) => {
        const beside = [all[n - 1], all[n + 1]].filter((x, i) => x?.found.size && CHINESE.test(x.term)
          && (i ? x.term[0] === term[1] : x.term[1] === term[0])).map((x) => x.rare);
        const mean = CHINESE.test(term) && beside.length ? beside.reduce((a, b) => a + b) / beside.length : rare;
        return { found, rare: Math.min(rare, mean) };
      }).filter(({ found }) => found.size);
      return Object.assign(this.rank(looked, key(query)).slice(0, most), { met: new Set(all.flatMap(({ met }) => met)) });
    }

    rank(looked, whole) {
      const total = looked.reduce((sum, { rare }) => sum + rare, 0);
      const scores = new Map(), pages = new Map();
      for (const { found, rare } of looked) {
        const best = new Map();
        for (const [n, weight] of found) {
          const at = scores.get(n) || { sum: 0, met: 0 };
          at.sum += rare * weight;
          at.met += rare;
          scores.set(n, at);
          const page = this.sections[n][0];
          best.set(page, Math.max(best.get(page) || 0, weight));
        }
        for (const [page, weight] of best) {
          const at = pages.get(page) || { sum: 0, met: 0 };
          at.sum += rare * weight;
          at.met += rare;
          pages.set(page, at);
        }
      }
      const value = ({ sum, met }) => sum * (met / total) ** 2;
      const rows = [...scores].map(([n, at]) => {
        const [page, anchor, title, weight] = this.sections[n], keys = this.keys[n];
        // Of what all chapters have (exercises, references), the page that is about it answers.
        const about = keys.title === whole && !anchor ? 2 / Math.min(1, weight / 100) : 1;
        const exact = keys.names.has(whole) ? 2 : keys.title === whole ? Math.max(1.8, about) : 1;
        const score = (value(at) + 0.3 * value(pages.get(page))) * (weight / 100) * exact;
        return { n, at: page, url: this.pages[page][0] + (anchor && `#${anchor}`), title, page: this.pages[page][1], score };
      });
      return rows.sort((a, b) => b.score - a.score || a.n - b.n);
    }
  }

  /* ---- Showing what was found */

  /** Return a text in pieces: the odd ones are words of the query. */
  const pieces = (text, met) => {
    const marked = new Uint8Array(text.length);
    for (const { 0: word, index } of text.matchAll(WORD)) {
      if (CHINESE.test(word)) {
        for (let n = 0; n < word.length; n++) {
          const pair = word.slice(n, n + 2);
          if (met.has(pair)) marked.fill(1, index + n, index + n + pair.length);
          else if (met.has(word[n])) marked[index + n] = 1;
        }
      } else if (words(word).some((terms) => terms.some((term) => met.has(term)))) {
        marked.fill(1, index, index + word.length);
      }
    }
    const found = [""];
    for (let n = 0; n < text.length; n++) {
      if (marked[n] !== (found.length - 1) % 2) found.push("");
      found[found.length - 1] += text[n];
    }
    return found;
  };

  /** Return, in pieces, the part of a text that holds most of a query; a full-width character takes two places. */
  const excerpt = (text, met, places = 150) => {
    const size = /[\u3400-\u9fff]/.test(text) ? Math.round(places / 2) : places;
    const all = pieces(text, met), starts = [0];
    let at = 0, best = [0, 0];
    const hits = all.flatMap((piece, n) => {
      const here = [at, piece];
      at += piece.length;
      return n % 2 ? [here] : [];
    });
    for (const [from] of hits) {
      const inside = new Set(hits.filter(([x]) => x >= from && x < from + size * 0.7).map(([, piece]) => piece.toLowerCase()));
      if (inside.size > best[0]) best = [inside.size, from];
    }
    for (const { index, 0: stop } of text.matchAll(/[.;:!?]\s|[。；：！？]/g)) starts.push(index + stop.length);
    const near_ = starts.filter((x) => x <= best[1] && x > best[1] - size * 0.5).at(-1);
    let from = near_ ?? Math.max(0, best[1] - Math.round(size * 0.3));
    if (near_ === undefined && from && !/[\u3400-\u9fff]/.test(text[from])) from = text.indexOf(" ", from) + 1;
    const shown = text.slice(from, from + size);
    const whole = from + size >= text.length || /[\u3400-\u9fff]/.test(shown.at(-1));
    const cut = whole ? shown : shown.replace(/\s\S*$/, "");
    return pieces((from ? "… " : "") + cut + (from + cut.length < text.length ? " …" : ""), met);
  };

  return { make, Index, words, stem, key, pieces, excerpt };
})();
