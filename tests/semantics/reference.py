"""What PTX instructions do, written once more: a slow warp machine on Python's integers and fractions, after the PTX
manual, chapter 9. It shares nothing with src/, so a case whose bits it agrees with has two independent origins. What it
does not know raises Unknown: matrix and approximate instructions, control flow."""

import re
from fractions import Fraction

from numbers_exact import FORMATS, root, signed

LANES = 32
IN, OUT, SHARED = 0x100000, 0x200000, 0x300000
LOCAL, LOCAL_STRIDE = 0x400000, 0x1000


class Unknown(Exception):
    pass


WIDTH = {f"{kind}{bits}": bits for kind in "bsu" for bits in (8, 16, 32, 64)} | {
    "f16": 16, "bf16": 16, "f32": 32, "f64": 64, "pred": 1, "b128": 128, "f16x2": 32, "bf16x2": 32, "s16x2": 32,
    "u16x2": 32}
HALF = {"f16x2": "f16", "bf16x2": "bf16", "s16x2": "s16", "u16x2": "u16"}
ROUNDINGS = ("rn", "rz", "rm", "rp", "rna", "rni", "rzi", "rmi", "rpi")


def is_float(kind):
    return kind in FORMATS


# --- one lane, two's complement ---

def integer(op, mods, kind, a):
    w = WIDTH[kind]
    s = kind[0] == "s"
    v = [signed(x, w) if s else x & (1 << w) - 1 for x in a]
    low, high = (-(1 << w - 1), (1 << w - 1) - 1) if s else (0, (1 << w) - 1)
    if op in ("add", "sub"):
        r = v[0] + v[1] if op == "add" else v[0] - v[1]
        return min(max(r, low), high) if "sat" in mods else r
    if op in ("mul", "mad"):
        r = v[0] * v[1]
        if "wide" in mods:
            c = 0 if op == "mul" else signed(a[2], 2 * w) if s else a[2]
            return r + c
        if "hi" in mods:
            r >>= w
        if op == "mad":
            r += v[2]
            if "sat" in mods:
                return min(max(r, low), high)
        return r
    if op in ("mul24", "mad24"):
        v24 = [signed(x, 24) if s else x & 0xFFFFFF for x in a[:2]]
        r = v24[0] * v24[1]
        r = r >> 16 if "hi" in mods else r
        return r if op == "mul24" else r + v[2]
    if op in ("div", "rem"):
        if v[1] == 0:
            return -1  # PTX leaves it open; hardware gives all ones
        q = abs(v[0]) // abs(v[1]) * (-1 if (v[0] < 0) != (v[1] < 0) else 1)
        return q if op == "div" else v[0] - q * v[1]
    if op == "sad":
        return v[2] + abs(v[0] - v[1])
    if op == "abs":
        return abs(v[0])
    if op == "neg":
        return -v[0]
    if op in ("min", "max"):
        r = (min if op == "min" else max)(v[0], v[1])
        return max(r, 0) if "relu" in mods else r
    if op in ("and", "or", "xor"):
        return {"and": a[0] & a[1], "or": a[0] | a[1], "xor": a[0] ^ a[1]}[op]
    if op == "not":
        return ~a[0]
    if op == "cnot":
        return int(a[0] == 0)
    if op in ("shl", "shr"):
        n = min(a[1] & 0xFFFFFFFF, w if op == "shl" else w)
        return v[0] << n if op == "shl" else v[0] >> n
    if op == "popc":
        return bin(a[0]).count("1")
    if op == "clz":
        return w - a[0].bit_length()
    if op == "brev":
        return int(f"{a[0]:0{w}b}"[::-1], 2)
    if op == "bfind":
        x = ~a[0] & (1 << w) - 1 if s and a[0] >> w - 1 else a[0]
        if x == 0:
            return 0xFFFFFFFF
        return w - x.bit_length() if "shiftamt" in mods else x.bit_length() - 1
    if op == "bfe":
        position, length = a[1] & 0xFF, a[2] & 0xFF
        if length == 0:
            return 0
        top = a[0] >> min(position + length - 1, w - 1) & 1 if s else 0
        bits = (a[0] >> position) & (1 << length) - 1 if position < w else 0
        present = max(0, min(length, w - position))
        return bits | (-1 << present if top else 0)
    if op == "bfi":
        position, length = a[2] & 0xFF, a[3] & 0xFF
        mask = ((1 << length) - 1 << position) & (1 << w) - 1
        return a[0] << position & mask | a[1] & ~mask
    if op == "bmsk":
        position, length = (x & 31 if "wrap" in mods else min(x, 32) for x in a)
        return ((1 << length) - 1) << position
    if op == "fns":
        base, offset = a[1] & 31, signed(a[2], 32)
        if offset == 0:
            return base if a[0] >> base & 1 else -1
        found = [i for i in (range(base, 32) if offset > 0 else range(base, -1, -1)) if a[0] >> i & 1]
        return found[abs(offset) - 1] if abs(offset) <= len(found) else -1
    if op == "szext":
        n = a[1] & 31 if "wrap" in mods else min(a[1], 32)
        return a[0] if n >= 32 else 0 if n == 0 else signed(a[0], n) if s else a[0] & (1 << n) - 1
    raise Unknown(op)


def dot(op, mods, kinds, a):
    def parts(bits, count, kind):
        width = 32 // count
        return [signed(bits >> width * i, width) if kind[0] == "s" else bits >> width * i & (1 << width) - 1
                for i in range(count)]
    if op == "dp4a":
        pairs = zip(parts(a[0], 4, kinds[0]), parts(a[1], 4, kinds[1]))
    else:
        half = 2 if "hi" in mods else 0
        pairs = zip(parts(a[0], 2, kinds[0]), parts(a[1], 4, kinds[1])[half:])
    return sum(x * y for x, y in pairs) + a[2]


def permute(mods, a):
    mode = next((m for m in mods if m in ("f4e", "b4e", "rc8", "ecl", "ecr", "rc16")), None)
    data = [(a[0] | a[1] << 32) >> 8 * i & 0xFF for i in range(8)]
    c = a[2] & 3
    if mode is None:
        picks = [a[2] >> 4 * i & 15 for i in range(4)]
        out = [0xFF * (data[p & 7] >> 7) if p & 8 else data[p & 7] for p in picks]
    else:
        picks = {"f4e": [c + i for i in range(4)], "b4e": [c - i & 7 for i in range(4)], "rc8": [c] * 4,
                 "ecl": [max(i, c) for i in range(4)], "ecr": [min(i, c) for i in range(4)],
                 "rc16": [2 * (c & 1), 2 * (c & 1) + 1] * 2}[mode]
        out = [data[p] for p in picks]
    return sum(b << 8 * i for i, b in enumerate(out))


# --- one lane, floating point ---

def floating(op, mods, kind, a):
    fmt = FORMATS[kind]
    ftz = "ftz" in mods
    mode = next((m for m in mods if m in ROUNDINGS), "rn")
    a = [fmt.flush(x) if ftz else x for x in a]
    if op in ("abs", "neg"):
        if fmt.is_nan(a[0]) and kind in ("f32", "f64"):
            return a[0] & ~fmt.sign if op == "abs" else a[0] ^ fmt.sign
        return a[0] & ~fmt.sign if op == "abs" else a[0] ^ fmt.sign
    if op == "copysign":
        return a[0] & fmt.sign | a[1] & ~fmt.sign
    if op in ("min", "max"):
        sign = (a[0] ^ a[1]) & fmt.sign
        if "xorsign" in mods:
            a = [x & ~fmt.sign for x in a]
        nans = [fmt.is_nan(x) for x in a]
        if all(nans) or any(nans) and "NaN" in mods:
            return fmt.nan
        if any(nans):
            r = a[1] if nans[0] else a[0]
        else:
            key = lambda x: (x & fmt.sign - 1) * (-1 if x & fmt.sign else 1) - (1 if x == fmt.sign else 0) / 2
            r = (min if op == "min" else max)(a, key=key)
        return r & ~fmt.sign | sign if "xorsign" in mods else r
    r = arithmetic(op, fmt, mode, ftz, a)
    if "sat" in mods:
        one = fmt.round(Fraction(1))
        r = 0 if fmt.is_nan(r) or r & fmt.sign else min(r, one)
    if "relu" in mods:
        r = fmt.nan if fmt.is_nan(r) else 0 if r & fmt.sign else r
    return r


def arithmetic(op, fmt, mode, ftz, a):
    if any(fmt.is_nan(x) for x in a):
        return fmt.nan
    sign = [bool(x & fmt.sign) for x in a]
    infinite = [fmt.is_infinite(x) for x in a]
    zero = [fmt.is_zero(x) for x in a]
    infinity = lambda negative: fmt.infinity | (fmt.sign if negative else 0)
    if op == "sub":
        op, sign[1], a[1] = "add", not sign[1], a[1] ^ fmt.sign
    if op in ("mul", "fma", "mad"):
        product = sign[0] != sign[1]
        if infinite[0] and zero[1] or zero[0] and infinite[1]:
            return fmt.nan
        if op == "mul":
            if infinite[0] or infinite[1]:
                return infinity(product)
            return fmt.round(fmt.value(a[0]) * fmt.value(a[1]), mode, product, ftz)
        if infinite[0] or infinite[1]:
            return fmt.nan if infinite[2] and sign[2] != product else infinity(product)
        if infinite[2]:
            return infinity(sign[2])
        x, y = fmt.value(a[0]) * fmt.value(a[1]), fmt.value(a[2])
        zero_sign = product and sign[2] if product == sign[2] else mode == "rm"
        return fmt.round(x + y, mode, zero_sign, ftz)
    if op == "add":
        if infinite[0] and infinite[1] and sign[0] != sign[1]:
            return fmt.nan
        if infinite[0] or infinite[1]:
            return a[0] if infinite[0] else a[1]
        zero_sign = sign[0] if sign[0] == sign[1] else mode == "rm"
        return fmt.round(fmt.value(a[0]) + fmt.value(a[1]), mode, zero_sign, ftz)
    if op in ("div", "rcp"):
        if op == "rcp":
            a, sign, infinite, zero = [fmt.round(Fraction(1))] + a, [False] + sign, [False] + infinite, [False] + zero
        quotient = sign[0] != sign[1]
        if infinite[0] and infinite[1] or zero[0] and zero[1]:
            return fmt.nan
        if infinite[0] or zero[1]:
            return infinity(quotient)
        if infinite[1]:
            return fmt.sign if quotient else 0
        return fmt.round(fmt.value(a[0]) / fmt.value(a[1]), mode, quotient, ftz)
    if op == "sqrt":
        if zero[0]:
            return a[0]
        if sign[0]:
            return fmt.nan
        return infinity(False) if infinite[0] else root(fmt.value(a[0]), fmt, mode, ftz)
    raise Unknown(op)


def compare(relation, kind, a, b, ftz=False):
    if is_float(kind):
        fmt = FORMATS[kind]
        a, b = (fmt.flush(x) if ftz else x for x in (a, b))
        nan = fmt.is_nan(a) or fmt.is_nan(b)
        if relation in ("num", "nan"):
            return nan == (relation == "nan")
        if nan:
            return relation in ("equ", "neu", "ltu", "leu", "gtu", "geu")
        order = lambda x: (x & fmt.sign - 1) * (-1 if x & fmt.sign else 1)
        a, b = order(a), order(b)
        relation = relation[:2]
    elif kind[0] == "s":
        a, b = signed(a, WIDTH[kind]), signed(b, WIDTH[kind])
    relation = {"lo": "lt", "ls": "le", "hi": "gt", "hs": "ge"}.get(relation, relation)
    return {"eq": a == b, "ne": a != b, "lt": a < b, "le": a <= b, "gt": a > b, "ge": a >= b}[relation]


def convert(mods, to, source, x):
    mode = next((m for m in mods if m in ROUNDINGS), None)
    if "satfinite" in mods:
        raise Unknown("cvt." + ".".join(mods))
    w = WIDTH[to]
    if not is_float(source):
        value = signed(x, WIDTH[source]) if source[0] == "s" else x & (1 << WIDTH[source]) - 1
        if is_float(to):
            r = FORMATS[to].round(Fraction(value), mode or "rn")
            return unit_interval(r, to) if "sat" in mods else r
        if "sat" in mods:
            low, high = (-(1 << w - 1), (1 << w - 1) - 1) if to[0] == "s" else (0, (1 << w) - 1)
            value = min(max(value, low), high)
        return value
    fmt = FORMATS[source]
    if "ftz" in mods and source == "f32":
        x = fmt.flush(x)
    if is_float(to):
        target = FORMATS[to]
        if fmt.is_nan(x):
            return 0 if "sat" in mods else target.nan
        negative = bool(x & fmt.sign)
        if fmt.is_infinite(x):
            r = target.infinity | (target.sign if negative else 0)
        else:
            value = fmt.value(x)
            if mode in ("rni", "rzi", "rmi", "rpi"):
                value, mode = Fraction(to_integer(value, mode)), "rn"
            r = target.round(value, mode or "rn", negative, "ftz" in mods and to == "f32")
        if "relu" in mods and r & target.sign:
            r = 0
        return unit_interval(r, to) if "sat" in mods else r
    low, high = (-(1 << w - 1), (1 << w - 1) - 1) if to[0] == "s" else (0, (1 << w) - 1)
    if fmt.is_nan(x):
        return 1 << w - 1 if source == "f64" or w == 64 else 0
    if fmt.is_infinite(x):
        return low if x & fmt.sign else high
    return min(max(to_integer(fmt.value(x), mode), low), high)


def unit_interval(bits, kind):
    fmt = FORMATS[kind]
    return 0 if fmt.is_nan(bits) or bits & fmt.sign else min(bits, fmt.round(Fraction(1)))


def to_integer(x, mode):
    whole, rest = x.numerator // x.denominator, x - x.numerator // x.denominator
    if mode == "rzi":
        return whole + (x < 0 and rest > 0)
    if mode == "rmi":
        return whole
    if mode == "rpi":
        return whole + (rest > 0)
    return whole + (rest > Fraction(1, 2) or rest == Fraction(1, 2) and whole & 1)


def halves(function, a):
    return function([x & 0xFFFF for x in a]) & 0xFFFF | (function([x >> 16 & 0xFFFF for x in a]) & 0xFFFF) << 16


def atomic(name, kind, old, b, c, ftz=False):
    """The value that memory holds afterwards."""
    w = WIDTH[kind]
    if kind in HALF:
        return halves(lambda v: atomic(name, HALF[kind], v[0], v[1], 0), [old, b])
    if name == "add" and is_float(kind):
        fmt = FORMATS[kind]
        a = [fmt.flush(x) if ftz else x for x in (old, b)]
        return arithmetic("add", fmt, "rn", ftz, a)
    if name in ("add", "min", "max"):
        return integer(name, [], kind, [old, b]) & (1 << w) - 1
    return {"and": old & b, "or": old | b, "xor": old ^ b, "exch": b, "cas": c if old == b else old,
            "inc": 0 if old >= b else old + 1, "dec": b if old == 0 or old > b else old - 1}[name]


# --- the warp ---

class Warp:
    def __init__(self, body, lanes, memory):
        self.body, self.lanes, self.memory = body, lanes, memory
        self.registers, self.symbols, self.width = {}, {"in": IN, "out": OUT}, {}
        self.shared, self.local = SHARED, LOCAL

    def run(self):
        for statement in self.body:
            if statement.startswith(".reg"):
                kind, names = re.match(r"\.reg \.(\w+) (.*)", statement).groups()
                for name in (n.strip() for n in names.split(",")):
                    stem, _, count = name.partition("<")
                    for n in [name] if not count else [f"{stem}{i}" for i in range(int(count.rstrip(">")))]:
                        self.width[n] = WIDTH[kind]
            elif statement.startswith((".shared", ".local")):
                match = re.match(r"\.(shared|local) (?:\.align (\d+) )?\.(\w+) (\w+)\[(\d+)\]", statement)
                if not match:
                    raise Unknown(statement)
                where, align, kind, name, count = match.groups()
                align = int(align or 1)
                place = -(-getattr(self, where) // align) * align
                self.symbols[name] = place
                setattr(self, where, place + int(count) * WIDTH[kind] // 8)
            elif statement == "ret":
                return
            else:
                self.step(statement)

    def step(self, statement):
        guard, name, operands = re.match(r"(?:@(!?%\w+) )?([\w.]+)\s*(.*)", statement).groups()
        active = [l for l in range(self.lanes)
                  if guard is None or bool(self.get(guard.lstrip("!"), l)) != guard.startswith("!")]
        op, *mods = name.split(".")
        if op == "bar" or op in ("membar", "fence"):
            return
        operands = re.findall(r"\{[^}]*\}|\[[^\]]*\]|[^,\s{}\[\]][^,]*", operands)
        operands = [o.strip() for o in operands]
        kinds = [m for m in mods if m in WIDTH]
        if op in ("vote", "shfl", "match", "redux", "activemask"):
            return self.together(op, mods, kinds, operands, active)
        for lane in active:
            self.lane(op, mods, kinds, operands, lane)

    # Operands.

    def get(self, text, lane, kind=None):
        if text in ("%laneid", "%tid.x"):
            return lane
        if text.startswith("!"):
            return int(not self.get(text[1:], lane))
        if text.startswith("%"):
            if text not in self.width:
                raise Unknown("register " + text)
            return self.registers.get((text, lane), 0)
        if text.startswith("{"):
            parts = [p.strip() for p in text[1:-1].split(",")]
            bits, at = 0, 0
            for p in parts:
                bits |= self.get(p, lane) << at
                at += self.width[p]
            return bits
        if re.fullmatch(r"0[fFdD][0-9a-fA-F]+", text):
            return int(text[2:], 16)
        if re.fullmatch(r"-?(0x[0-9a-fA-F]+|\d+)U?", text):
            value = int(text.rstrip("U"), 0)
            return value & (1 << (WIDTH[kind] if kind else 64)) - 1
        if text in self.symbols:
            address = self.symbols[text]
            return address + lane * LOCAL_STRIDE if address >= LOCAL else address
        raise Unknown("operand " + text)

    def put(self, text, lane, bits):
        if text == "_":
            return
        if text.startswith("{"):
            for p in text[1:-1].split(","):
                p = p.strip()
                width = self.width.get(p, 32)
                self.put(p, lane, bits)
                bits >>= width
            return
        if "|" in text:
            raise Unknown(text)
        self.registers[text, lane] = bits & (1 << self.width[text]) - 1

    def address(self, text, lane):
        base, _, offset = text[1:-1].partition("+")
        return self.get(base.strip(), lane) + int(offset or "0", 0)

    def load(self, at, size):
        return sum(self.memory.get(at + i, 0) << 8 * i for i in range(size))

    def store(self, at, size, bits):
        for i in range(size):
            self.memory[at + i] = bits >> 8 * i & 0xFF

    # One lane.

    def lane(self, op, mods, kinds, o, lane):
        kind = kinds[-1] if kinds else None
        value = lambda i, k=None: self.get(o[i], lane, k or kind)
        if op in ("ld", "ldu", "st", "atom", "red"):
            return self.memory_access(op, mods, kinds, o, lane)
        if op == "mov":
            return self.put(o[0], lane, value(1))
        if op == "cvta":
            return self.put(o[0], lane, value(1))
        if op == "selp":
            return self.put(o[0], lane, value(1) if value(3) else value(2))
        if op == "slct":
            by, x = kinds[1], value(3)
            if is_float(by):
                fmt = FORMATS[by]
                x = fmt.flush(x) if "ftz" in mods else x
                first = not fmt.is_nan(x) and (fmt.is_zero(x) or not x & fmt.sign)
            else:
                first = signed(x, WIDTH[by]) >= 0
            return self.put(o[0], lane, self.get(o[1] if first else o[2], lane, kinds[0]))
        if op in ("setp", "set"):
            return self.compare(op, mods, kinds, o, lane)
        if op == "testp":
            fmt, x = FORMATS[kind], value(1)
            nan, infinite = fmt.is_nan(x), fmt.is_infinite(x)
            return self.put(o[0], lane, {"finite": not nan and not infinite, "infinite": infinite, "number": not nan,
                                         "notanumber": nan, "subnormal": fmt.is_subnormal(x),
                                         "normal": not (nan or infinite or fmt.is_zero(x) or fmt.is_subnormal(x))
                                         }[mods[0]])
        if op == "cvt" and "pack" in mods:
            return self.pack(kinds[0], kinds[1], o, lane)
        if op == "cvt":
            if len(o) == 3 or "tf32" in mods or any(k in HALF for k in kinds):
                return self.convert_pair(mods, kinds, o, lane)
            bits = convert(mods, kinds[0], kinds[1], value(1))
            if not is_float(kinds[0]):
                # A register wider than the destination type holds it extended.
                w = WIDTH[kinds[0]]
                bits = signed(bits, w) if kinds[0][0] == "s" else bits & (1 << w) - 1
            return self.put(o[0], lane, bits)
        if op == "lop3":
            return self.logic3(mods, o, lane)
        if op == "prmt":
            return self.put(o[0], lane, permute(mods, [value(i) for i in (1, 2, 3)]))
        if op == "shf":
            n = value(3)
            n = n & 31 if "wrap" in mods else min(n, 32)
            both = value(1) | value(2) << 32
            return self.put(o[0], lane, both << n >> 32 if "l" in mods else both >> n)
        if op in ("dp4a", "dp2a"):
            return self.put(o[0], lane, dot(op, mods, kinds, [value(i) for i in (1, 2, 3)]))
        if op in ("addc", "subc", "madc") or "cc" in mods:
            return self.carry(op, mods, kinds, o, lane)
        sources = [self.get(x, lane, kind) for x in o[1:]]
        if kind == "pred":
            return self.put(o[0], lane, integer(op, mods, "b32", sources) & 1 if op != "not" else 1 - sources[0])
        if kind in HALF and is_float(HALF[kind]):
            return self.put(o[0], lane, halves(lambda v: floating(op, mods, HALF[kind], v), sources))
        if kind in HALF:
            return self.put(o[0], lane, halves(lambda v: integer(op, mods, HALF[kind], v), sources))
        if "approx" in mods or "full" in mods:
            raise Unknown(op + ".approx")
        if is_float(kind):
            if op not in ("abs", "neg", "copysign", "min", "max", "add", "sub", "mul", "fma", "mad", "div", "rcp", "sqrt"):
                raise Unknown(op)
            return self.put(o[0], lane, floating(op, mods, kind, sources))
        self.put(o[0], lane, integer(op, mods, kind, sources))

    def compare(self, op, mods, kinds, o, lane):
        relation = mods[0]
        join = mods[1] if mods[1] in ("and", "or", "xor") else None
        kind = kinds[-1]
        a, b = self.get(o[1], lane, kind), self.get(o[2], lane, kind)
        if kind in HALF:
            if op == "setp":
                raise Unknown("setp of halves")
            wanted = kinds[0]
            one = FORMATS[HALF[wanted]].round(Fraction(1)) if wanted in HALF else 0xFFFF
            return self.put(o[0], lane, halves(
                lambda v: one if compare(relation, HALF[kind], v[0], v[1], "ftz" in mods) else 0, [a, b]))
        holds = compare(relation, kind, a, b, "ftz" in mods)
        with_c = {"and": lambda x, c: x and c, "or": lambda x, c: x or c, "xor": lambda x, c: x != c}
        c = bool(self.get(o[3], lane)) if join else None
        both = [with_c[join](x, c) if join else x for x in (holds, not holds)]
        if op == "set":
            one = FORMATS[kinds[0]].round(Fraction(1)) if is_float(kinds[0]) else -1
            return self.put(o[0], lane, one if both[0] else 0)
        names = [n.strip() for n in o[0].split("|")]
        for name, x in zip(names, both):
            self.put(name, lane, int(x))

    def pack(self, to, source, o, lane):
        w = int(to[1:])
        least, most = (-(1 << w - 1), (1 << w - 1) - 1) if to[0] == "s" else (0, (1 << w) - 1)
        bits = self.get(o[3], lane, "b32") if len(o) == 4 else 0
        for i in (1, 2):
            value = self.get(o[i], lane, source)
            value = signed(value, 32) if source[0] == "s" else value & 0xFFFFFFFF
            bits = bits << w | min(max(value, least), most) & (1 << w) - 1
        self.put(o[0], lane, bits & 0xFFFFFFFF)

    def convert_pair(self, mods, kinds, o, lane):
        if len(o) != 3 or kinds[0] not in ("f16x2", "bf16x2") or kinds[1] != "f32" or "satfinite" in mods:
            raise Unknown("cvt." + ".".join(mods))
        to = HALF[kinds[0]]
        high, low = (convert(mods, to, "f32", self.get(o[i], lane, "f32")) for i in (1, 2))
        self.put(o[0], lane, high << 16 | low)

    def logic3(self, mods, o, lane):
        a, b, c = (self.get(x, lane, "b32") for x in o[1:4])
        table, r = self.get(o[4], lane, "b32"), 0
        for i in range(32):
            r |= (table >> ((a >> i & 1) << 2 | (b >> i & 1) << 1 | c >> i & 1) & 1) << i
        if "|" not in o[0]:
            return self.put(o[0], lane, r)
        d, p = (x.strip() for x in o[0].split("|"))
        q = bool(self.get(o[5], lane))
        self.put(d, lane, r)
        self.put(p, lane, int((r != 0) or q if "or" in mods else (r != 0) and q))

    def carry(self, op, mods, kinds, o, lane):
        kind, w = kinds[-1], WIDTH[kinds[-1]]
        mask = (1 << w) - 1
        a = [self.get(x, lane, kind) & mask for x in o[1:]]
        incoming = self.registers.get(("cc", lane), 0) if op in ("addc", "subc", "madc") else 0
        if op in ("add", "addc"):
            r = a[0] + a[1] + incoming
        elif op in ("sub", "subc"):
            r = a[0] - a[1] - incoming
        else:
            product = integer("mul", mods, kind, a[:2]) & mask
            r = product + a[2] + incoming
        if "cc" in mods:
            self.registers["cc", lane] = int(r < 0 or r > mask)
        self.put(o[0], lane, r)

    def memory_access(self, op, mods, kinds, o, lane):
        if "param" in mods:
            return self.put(o[0], lane, self.symbols[o[1][1:-1]])
        kind = kinds[-1]
        size = WIDTH[kind] // 8
        vector = next((int(m[1:]) for m in mods if m in ("v2", "v4")), 1)
        if op in ("ld", "ldu"):
            at = self.address(o[1], lane)
            names = [n.strip() for n in o[0][1:-1].split(",")] if o[0].startswith("{") else [o[0]]
            if len(names) != vector:
                raise Unknown("ld")
            for i, name in enumerate(names):
                bits = self.load(at + size * i, size)
                # Loads into a wider register extend.
                self.put(name, lane, signed(bits, WIDTH[kind]) if kind[0] == "s" else bits)
            return None
        if op == "st":
            at = self.address(o[0], lane)
            names = [n.strip() for n in o[1][1:-1].split(",")] if o[1].startswith("{") else [o[1]]
            if len(names) != vector:
                raise Unknown("st")
            for i, name in enumerate(names):
                self.store(at + size * i, size, self.get(name, lane, kind))
            return None
        name = next(m for m in mods if m in ("add", "min", "max", "and", "or", "xor", "exch", "cas", "inc", "dec"))
        first = 0 if op == "red" else 1
        at = self.address(o[first], lane)
        if vector > 1 or kind == "b128" or kind == "f32" and name == "add" and "shared" not in mods and vector > 1:
            raise Unknown("vector atomics")
        old = self.load(at, size)
        b = self.get(o[first + 1], lane, kind)
        c = self.get(o[first + 2], lane, kind) if name == "cas" else 0
        # f32 adds flush subnormals in global memory only.
        self.store(at, size, atomic(name, kind, old, b, c, kind == "f32" and "shared" not in mods))
        if op == "atom":
            self.put(o[0], lane, old)

    # All lanes at once.

    def together(self, op, mods, kinds, o, active):
        if op == "activemask":
            for l in active:
                self.put(o[0], l, sum(1 << x for x in active))
            return
        if op == "redux":
            name, kind = mods[1], kinds[-1]
            for l in active:
                members = [x for x in active if self.get(o[2], l) >> x & 1]
                r = self.get(o[1], members[0])
                for x in members[1:]:
                    r = integer(name, [], kind, [r, self.get(o[1], x)]) & 0xFFFFFFFF
                self.put(o[0], l, r)
            return
        if op == "vote":
            for l in active:
                members = [x for x in active if self.get(o[2], l) >> x & 1]
                holds = [x for x in members if self.get(o[1], x)]
                r = {"all": len(holds) == len(members), "any": bool(holds),
                     "uni": len(holds) in (0, len(members)), "ballot": sum(1 << x for x in holds)}[mods[1]]
                self.put(o[0], l, int(r))
            return
        values = {l: self.get(o[1], l) for l in active}
        if op == "match":
            results = {}
            for l in active:
                members = [x for x in active if self.get(o[2], l) >> x & 1]
                same = sum(1 << x for x in members if values[x] == values[l])
                everyone = len({values[x] for x in members}) == 1
                results[l] = (same, None) if mods[0] == "any" else (same if everyone else 0, int(everyone))
            for l, (mask, p) in results.items():
                names = [n.strip() for n in o[0].split("|")]
                self.put(names[0], l, mask)
                if len(names) > 1:
                    self.put(names[1], l, p)
            return
        results = {}
        for l in active:
            b, c = self.get(o[2], l) & 31, self.get(o[3], l)
            clamp, segment = c & 31, c >> 8 & 31
            most, least = l & segment | clamp & ~segment, l & segment
            mode = mods[1]
            j = {"up": l - b, "down": l + b, "bfly": l ^ b, "idx": least | b & ~segment}[mode]
            inside = j >= most if mode == "up" else j <= most
            source = j if inside else l
            if source not in values:
                raise Unknown("shfl from an inactive lane")
            results[l] = (values[source], int(inside))
        for l, (x, p) in results.items():
            names = [n.strip() for n in o[0].split("|")]
            self.put(names[0], l, x)
            if len(names) > 1:
                self.put(names[1], l, p)
