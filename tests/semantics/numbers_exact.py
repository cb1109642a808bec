"""Exact arithmetic on bit patterns: IEEE formats by fractions, integers modulo their width."""

from fractions import Fraction
from math import isqrt


class Format:
    """A binary interchange format: exponent and mantissa bits, and the NaN that results have."""

    def __init__(self, exponent, mantissa, nan, finite_only=False):
        self.mantissa = mantissa
        self.width = 1 + exponent + mantissa
        self.bias = (1 << exponent - 1) - 1
        self.top = (1 << exponent) - 1
        self.least = 1 - self.bias - mantissa  # exponent of the last bit of a subnormal
        self.sign = 1 << self.width - 1
        self.infinity = self.top << mantissa
        self.largest = self.infinity - 1
        self.nan = nan

    def is_nan(self, bits):
        return bits & ~self.sign & self.sign - 1 > self.infinity

    def is_infinite(self, bits):
        return bits & self.sign - 1 == self.infinity

    def is_zero(self, bits):
        return bits & self.sign - 1 == 0

    def is_subnormal(self, bits):
        return 0 < bits & self.sign - 1 < 1 << self.mantissa

    def flush(self, bits):
        return bits & self.sign if self.is_subnormal(bits) else bits

    def value(self, bits):
        """The fraction that finite bits stand for."""
        exponent, fraction = bits >> self.mantissa & self.top, bits & (1 << self.mantissa) - 1
        if exponent:
            fraction, exponent = fraction | 1 << self.mantissa, exponent - 1
        magnitude = Fraction(fraction) * Fraction(2) ** (exponent + self.least)
        return -magnitude if bits & self.sign else magnitude

    def round(self, x, mode="rn", zero_sign=0, ftz=False):
        """Bits of the fraction x, rounded once; `zero_sign`: the sign of an exact zero."""
        if x == 0:
            return self.sign if zero_sign else 0
        negative, magnitude = x < 0, abs(x)
        # Exponent of the last bit kept.
        exponent = magnitude.numerator.bit_length() - magnitude.denominator.bit_length()
        if Fraction(2) ** exponent > magnitude:
            exponent -= 1
        last = max(exponent - self.mantissa, self.least)
        scaled = magnitude / Fraction(2) ** last
        whole = scaled.numerator // scaled.denominator
        rest = scaled - whole
        up = {"rn": rest > Fraction(1, 2) or rest == Fraction(1, 2) and whole & 1,
              "rna": rest >= Fraction(1, 2),
              "rz": False,
              "rm": negative and rest > 0,
              "rp": not negative and rest > 0}[mode]
        whole += bool(up)
        bits = whole if last == self.least else whole + (last - self.least << self.mantissa)
        if bits > self.largest:
            stays = mode == "rz" or mode == "rm" and not negative or mode == "rp" and negative
            bits = self.largest if stays else self.infinity
        if ftz and bits < 1 << self.mantissa:
            bits = 0
        return bits | (self.sign if negative else 0)


FORMATS = {
    "f16": Format(5, 10, 0x7FFF),
    "bf16": Format(8, 7, 0x7FFF),
    "f32": Format(8, 23, 0x7FFFFFFF),
    "f64": Format(11, 52, 0xFFF8000000000000),
}


def signed(bits, width):
    bits &= (1 << width) - 1
    return bits - (1 << width) if bits >> width - 1 else bits


def root(x, fmt, mode, ftz):
    """Rounded square root of a fraction: two bits more than the format keeps, and whether anything is left."""
    scale = 2 * (fmt.mantissa + 4)
    while x * Fraction(4) ** scale < Fraction(4) ** (fmt.mantissa + 4):
        scale += 64
    scaled = x * Fraction(4) ** scale
    whole = scaled.numerator // scaled.denominator
    r = isqrt(whole)
    sticky = r * r != whole or whole != scaled
    return fmt.round((Fraction(r) + (Fraction(1, 4) if sticky else 0)) / Fraction(2) ** scale, mode, ftz=ftz)
