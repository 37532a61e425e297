package jsonpatch

import (
	"bytes"
	"strconv"
)

// decimal is a number literal as ±0.d₁d₂d₃… × 10^exp, with d₁ and the last
// digit not zero. No digits are zero, whatever its sign.
type decimal struct {
	negative bool
	digits   []byte
	exp      string // canonical: "-" where negative, no leading zeros
}

// sameNumber compares two number literals exactly. It never expands an
// exponent: its work is linear in the literals.
func sameNumber(a, b []byte) bool {
	da, db := parseDecimal(a), parseDecimal(b)
	if len(da.digits) == 0 || len(db.digits) == 0 {
		return len(da.digits) == len(db.digits)
	}
	return da.negative == db.negative && da.exp == db.exp && bytes.Equal(da.digits, db.digits)
}

func parseDecimal(literal []byte) decimal {
	var d decimal
	if literal[0] == '-' {
		d.negative = true
		literal = literal[1:]
	}
	exp := []byte(nil)
	if e := bytes.IndexAny(literal, "eE"); e >= 0 {
		literal, exp = literal[:e], literal[e+1:]
	}
	whole, fraction, _ := bytes.Cut(literal, []byte("."))
	point := len(whole) // how many digits stand before the decimal point
	d.digits = append(append(make([]byte, 0, len(literal)), whole...), fraction...)
	significant := bytes.TrimLeft(d.digits, "0")
	point -= len(d.digits) - len(significant)
	d.digits = bytes.TrimRight(significant, "0")
	d.exp = addToExponent(exp, point)
	return d
}

// addToExponent returns exp + n as a decimal string.
func addToExponent(exp []byte, n int) string {
	negative := len(exp) > 0 && exp[0] == '-'
	magnitude := bytes.TrimLeft(bytes.TrimLeft(exp, "+-"), "0")
	if len(magnitude) <= 17 {
		e, _ := strconv.Atoi(string(magnitude)) // "" is 0
		if negative {
			e = -e
		}
		return strconv.Itoa(e + n)
	}
	// No n, which counts digits in memory, changes the sign of such a number.
	if negative {
		return "-" + addDigits(magnitude, -n)
	}
	return addDigits(magnitude, n)
}

// addDigits returns magnitude + n for a magnitude that is larger than |n|.
func addDigits(magnitude []byte, n int) string {
	out := bytes.Clone(magnitude)
	for i := len(out) - 1; i >= 0 && n != 0; i-- {
		n += int(out[i] - '0')
		digit := ((n % 10) + 10) % 10
		out[i] = byte('0' + digit)
		n = (n - digit) / 10
	}
	if n > 0 {
		return strconv.Itoa(n) + string(out)
	}
	return string(bytes.TrimLeft(out, "0"))
}
